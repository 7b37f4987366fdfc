/**
 * @file The cache's folder and its size. Files are whole units that are dropped least recently used first; a file is
 * used when it is written or a row of it is taken, and its mtime says when. Files that are not ours are not counted and
 * not touched.
 */
import { access, constants, mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.ts";

/** Segments, being written (`part`) or complete (`rows`), and remembered hashes of weights. */
const ours = /^(?:[0-9a-f]{32}-[0-9a-f]{12}\.(?:rows|part)|weights-[0-9a-f]{32}\.json)$/;

/** What a segment is called once it is complete. */
export const completeName = (part: string): string => part.replace(/part$/, "rows");

export interface CacheFile {
  readonly name: string;
  readonly size: number;
  readonly usedMs: number;
}

/** @throws InputError where the folder cannot be made or written to */
export async function prepareCacheFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new InputError(
      `--feature-cache ${dir} cannot be used: ${error instanceof Error ? error.message : error}`,
    );
  }
}

export class CacheFolder {
  /** Files that this run has used: they are never dropped by it. */
  readonly #used = new Set<string>();

  constructor(
    readonly dir: string,
    /** Bytes that all files together may have. */
    readonly limit: number,
  ) {}

  path(name: string): string {
    return join(this.dir, name);
  }

  async files(): Promise<CacheFile[]> {
    const names = (await readdir(this.dir)).filter((name) => ours.test(name));
    const found = new Map<string, CacheFile>();
    for (const file of await Promise.all(names.map((name) => this.#facts(name)))) {
      if (file !== undefined) found.set(file.name, file);
    }
    return [...found.values()];
  }

  /** @returns undefined where another process has dropped the file; one that it has completed meanwhile still counts */
  async #facts(name: string): Promise<CacheFile | undefined> {
    const facts = await stat(this.path(name)).catch(() => undefined);
    if (facts !== undefined) return { name, size: facts.size, usedMs: facts.mtimeMs };
    return name.endsWith(".part") ? this.#facts(completeName(name)) : undefined;
  }

  /** Keeps a file from being dropped by this run, and puts it last in line for others. */
  async use(name: string): Promise<void> {
    if (this.#used.has(name)) return;
    this.#used.add(name);
    const now = new Date();
    await utimes(this.path(name), now, now).catch(() => undefined); // another user's file: its age stays
  }

  /** A file of ours goes on under another name. */
  renamed(from: string, to: string): void {
    if (this.#used.delete(from)) this.#used.add(to);
  }

  /**
   * Drops what was used longest ago until all files fit the limit.
   * @returns the bytes above the limit that remain, since this run uses the rest, and the names that are left
   */
  async makeRoom(): Promise<{ readonly over: number; readonly names: ReadonlySet<string> }> {
    const files = await this.files();
    const names = new Set(files.map(({ name }) => name));
    let over = files.reduce((sum, { size }) => sum + size, 0) - this.limit;
    for (const { name, size } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (over <= 0) break;
      if (this.#used.has(name) || !(await this.drop(name))) continue;
      over -= size;
      names.delete(name);
    }
    return { over: Math.max(0, over), names };
  }

  /** @returns whether the file is gone; a system may keep a file that is open */
  async drop(name: string): Promise<boolean> {
    return rm(this.path(name), { force: true }).then(
      () => true,
      () => false,
    );
  }
}
