/** @file From the names that a user gives (files, patterns, "-") to the files to read, always in the same order. */
import { stat } from "node:fs/promises";
import { isAbsolute, join, normalize, resolve } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { InputError } from "../../errors.ts";

/** Standard input, as a path. */
export const STDIN = "-";

/** What errors and reports call a source. */
export function sourceName(paths: string | readonly string[]): string {
  return [paths]
    .flat()
    .map((path) => (path === STDIN ? "stdin" : path))
    .join(", ");
}

/**
 * The files behind names and patterns: names in the order given, the matches of a pattern sorted, a file that comes
 * up twice only once. What exists under its literal name is that file, even where the name looks like a pattern.
 * @param inFolders the pattern of the files that a folder stands for
 * @throws InputError for a name that doesn't exist, a folder (without `inFolders`), or a pattern that matches no file
 */
export async function findFiles(paths: string | readonly string[], inFolders?: string): Promise<string[]> {
  const found = new Map<string, string>();
  for (const path of [paths].flat()) {
    for (const file of await expand(path, inFolders)) {
      const key = resolve(file);
      if (!found.has(key)) found.set(key, file);
    }
  }
  if (found.size === 0) throw new InputError("no file of records was given");
  return [...found.values()];
}

async function expand(path: string, inFolders?: string): Promise<string[]> {
  if (path === STDIN) return [path];
  const known = await stat(path).catch(() => undefined);
  if (known?.isDirectory()) {
    const own = inFolders === undefined ? [] : await glob(inFolders, { cwd: path });
    if (own.length > 0) return own.sort().map((name) => join(path, name));
    throw new InputError(`${path}: a folder; name its files, for example '${normalize(`${path}/*.jsonl`)}'`);
  }
  if (known !== undefined) return [path];
  if (!isDynamicPattern(path)) throw new InputError(`${path}: no such file`);
  const matches = await glob(path, { absolute: isAbsolute(path), expandDirectories: false });
  if (matches.length === 0) throw new InputError(`${path}: no file matches this pattern`);
  return matches.sort();
}
