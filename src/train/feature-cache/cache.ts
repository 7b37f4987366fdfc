/**
 * @file The feature cache of one model on one device: rows that earlier runs left, and those that this run adds. It is
 * a help, never a need: whatever goes wrong in its folder is noted, and the rows are computed.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { ModelFolder } from "../../model/model-folder.ts";
import { CacheFolder } from "./folder.ts";
import { spaceOf } from "./keys.ts";
import { clearDamage, type Rows, readSegment, type SegmentState, type Space } from "./segment.ts";
import { weightsHash } from "./weights-hash.ts";
import { CacheWriter } from "./writer.ts";

export interface CacheOptions {
  /** Made by `prepareCacheFolder`. */
  readonly dir: string;
  /** Bytes that all its files may have. */
  readonly limit: number;
}

export class FeatureCache implements AsyncDisposable {
  readonly #folder: CacheFolder;
  readonly #writer: CacheWriter;
  /** Rows on their way to the disk. */
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(
    { dir, limit }: CacheOptions,
    readonly space: Space,
    readonly note: (text: string) => void,
  ) {
    this.#folder = new CacheFolder(dir, limit);
    this.#writer = new CacheWriter(this.#folder, space);
  }

  static async open(
    gpu: Gpu,
    folder: ModelFolder,
    options: CacheOptions,
    note: (text: string) => void,
  ): Promise<FeatureCache> {
    const weights = await weightsHash(folder, options.dir);
    const id = spaceOf(folder.config, weights, gpu);
    return new FeatureCache(options, { id, width: folder.config.hiddenSize }, note);
  }

  /**
   * Hands over every wanted row that is there, once each, a few MiB at a time.
   * @param wanted keys; what is found is taken out of it
   */
  async read(wanted: Set<string>, take: (rows: Rows) => Promise<void>): Promise<void> {
    let damaged = 0;
    await this.#guard("read", async () => {
      await this.#folder.makeRoom();
      for (const { name } of await this.#folder.files()) {
        if (!name.startsWith(`${this.space.id}-`)) continue;
        damaged += await this.#readFile(name, wanted, take);
      }
    });
    if (damaged > 0) this.note(`feature cache: ${damaged} damaged places in ${this.#folder.dir} are rebuilt`);
  }

  /** @returns the damaged places of the file, which are free afterwards */
  async #readFile(name: string, wanted: Set<string>, take: (rows: Rows) => Promise<void>): Promise<number> {
    const path = this.#folder.path(name);
    const state: SegmentState = { sound: 0, damaged: [], end: 0, size: 0 };
    let used = false;
    const known = await readSegment(path, this.space, state, async (rows) => {
      const found = pick(rows, wanted, this.space.width);
      if (found.keys.length === 0) return;
      used = true;
      await take(found);
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined; // completed or dropped by another process just now
      throw error;
    });
    if (used) await this.#folder.use(name);
    // A file that is being written, now or until its process was killed, ends anywhere.
    if (known === undefined || name.endsWith(".part")) return 0;
    const damaged = state.damaged.length + (known && state.end === state.size ? 0 : 1);
    if (!known || state.sound === 0) await this.#folder.drop(name);
    else if (damaged > 0) await clearDamage(path, this.space, state).catch(() => undefined);
    return damaged;
  }

  /** Keeps rows. They are written while the caller goes on; resolves when those before them are on their way out. */
  async add(rows: Rows): Promise<void> {
    await this.#writing;
    if (this.#failed) return;
    this.#writing = this.#guard("written to", () => this.#writer.append(rows));
  }

  /** Waits for the last rows and completes their file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#guard("written to", () => this.#writer.close());
    if (this.#writer.refused > 0) {
      this.note(
        `feature cache: ${this.#writer.refused} rows found no room below --cache-limit and were not kept`,
      );
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #guard(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
      if (!this.#failed)
        this.note(
          `feature cache: ${this.#folder.dir} can't be ${what} (${error.message}); the run goes on without`,
        );
      this.#failed = true;
    }
  }
}

/** The rows that are wanted, each once. */
function pick({ keys, values }: Rows, wanted: Set<string>, width: number): Rows {
  const picked: string[] = [];
  for (const [i, key] of keys.entries()) {
    if (!wanted.delete(key)) continue;
    values.copyWithin(picked.length * width, i * width, (i + 1) * width);
    picked.push(key);
  }
  return { keys: picked, values: values.subarray(0, picked.length * width) };
}
