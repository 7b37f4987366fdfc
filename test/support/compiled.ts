/**
 * @file `src/` as JavaScript, for tests that start processes: one that compiles TypeScript at each start takes a second
 * longer. Compiled when its sources have changed, once for all test processes.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const prefix = ".compiled-";
/** Milliseconds after which nobody runs what nobody has asked for. */
const unused = 3_600_000;

let folder: string | undefined;

/** The folder, beside src/ so that paths from there to models and examples hold from here. @throws Error with what the compiler said */
export function compiled(): string {
  folder ??= upToDate(join(root, `${prefix}${hashOfSources()}`));
  return folder;
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
  for (const name of [
    ...sources.map((source) => join("src", source)),
    "tsconfig.json",
    "tsconfig.build.json",
  ])
    hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  return hash.digest("hex").slice(0, 16);
}

function upToDate(target: string): string {
  if (!existsSync(target)) {
    // Under another name until it is whole: other test processes may be about to do the same.
    const made = mkdtempSync(join(root, prefix));
    compile(made);
    removeUnused();
    try {
      renameSync(made, target);
    } catch (error) {
      rmSync(made, { recursive: true });
      if (!existsSync(target)) throw error;
    }
  }
  const now = new Date();
  utimesSync(target, now, now);
  return target;
}

/** Types are another test's matter. */
function compile(outDir: string): void {
  const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
  const options = ["--noCheck", "--declaration", "false", "--sourceMap", "false", "--outDir", outDir];
  const run = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", ...options], {
    cwd: root,
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`src/ does not compile:\n${run.stdout}${run.stderr}`);
}

function removeUnused(): void {
  for (const name of readdirSync(root).filter((own) => own.startsWith(prefix))) {
    const age = Date.now() - statSync(join(root, name)).mtimeMs;
    if (age > unused) rmSync(join(root, name), { recursive: true, force: true });
  }
}
