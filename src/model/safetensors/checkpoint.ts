/**
 * @file A checkpoint opened for reading: its tensors' places, and byte ranges of them straight from the files.
 * No file is ever in memory as a whole.
 */
import type { FileHandle } from "node:fs/promises";
import { InputError, RmtrainError } from "../../errors.ts";
import { isReadable } from "./dtype.ts";
import { openFile, readHeader, readRange } from "./file.ts";
import type { TensorInfo } from "./header.ts";
import { type CheckpointFiles, locateFiles } from "./locate.ts";
import { quoted } from "./scanner.ts";

/** A byte range inside a tensor. */
export interface ByteRange {
  byteOffset: number;
  byteLength: number;
}

/** A piece of a tensor; `offset` counts bytes from the tensor's begin. */
export interface TensorChunk {
  offset: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An open checkpoint. Close it, or declare it with `await using`. */
export interface Checkpoint extends AsyncDisposable {
  /** Every tensor of every file, by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The files' `__metadata__`; where shards differ, the first that has a key. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  /** Names of tensors that lie in a shard but not in the index; empty without an index. */
  readonly extra: readonly string[];
  /** A tensor's bytes, or a range of them, in a buffer of their own (so that any typed array fits over it). */
  read(info: TensorInfo, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * A tensor's bytes in order, in fresh chunks of at most `maxBytes` (>= 16); every chunk but the last is a
   * multiple of 16 bytes long.
   */
  chunks(info: TensorInfo, maxBytes: number): AsyncIterable<TensorChunk>;
  close(): Promise<void>;
}

/**
 * Opens a folder with `model.safetensors` or with shards and their index, or one `.safetensors` file. Reads and
 * validates all headers, and no tensor.
 * @throws InputError naming the file, and the tensor where one is at fault
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const located = await locateFiles(path);
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, string>();
  for (const file of located.files) {
    const header = await readHeader(file);
    for (const info of header.tensors.values()) {
      const other = tensors.get(info.name);
      if (other) {
        throw new InputError(
          `tensor ${quoted(info.name)} is in two shards, ${other.file} and ${file}: remove one`,
        );
      }
      tensors.set(info.name, info);
    }
    for (const [key, value] of Object.entries(header.metadata)) {
      if (!metadata.has(key)) metadata.set(key, value);
    }
  }
  const extra = compareWithIndex(tensors, located);
  return new OpenCheckpoint(tensors, Object.fromEntries(metadata), located.files, extra);
}

/** Refuses what the index lists and its shard lacks; returns the names that the index doesn't list. */
function compareWithIndex(tensors: ReadonlyMap<string, TensorInfo>, { index }: CheckpointFiles): string[] {
  if (index === undefined) return [];
  for (const [name, file] of index.fileOf) {
    if (tensors.get(name)?.file !== file) {
      throw new InputError(`${index.path}: tensor ${quoted(name)} isn't in ${file}, where the index puts it`);
    }
  }
  return [...tensors.keys()].filter((name) => !index.fileOf.has(name));
}

class OpenCheckpoint implements Checkpoint {
  readonly #handles = new Map<string, Promise<FileHandle>>();
  #closed = false;

  constructor(
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    readonly metadata: Readonly<Record<string, string>>,
    readonly files: readonly string[],
    readonly extra: readonly string[],
  ) {}

  async read(info: TensorInfo, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const size = info.end - info.begin;
    const { byteOffset, byteLength } = range ?? { byteOffset: 0, byteLength: size };
    this.#checkReadable(info);
    const isInside = [byteOffset, byteLength].every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!isInside || byteOffset + byteLength > size) {
      throw new RmtrainError(
        `${info.file}: tensor ${quoted(info.name)} has ${size} bytes; ${byteLength} from ${byteOffset} on aren't inside`,
      );
    }
    return readRange(await this.#handle(info.file), info, info.begin + byteOffset, byteLength);
  }

  async *chunks(info: TensorInfo, maxBytes: number): AsyncGenerator<TensorChunk, void, void> {
    if (!(maxBytes >= 16))
      throw new RmtrainError(`chunks of ${maxBytes} bytes are too small: the least is 16`);
    this.#checkReadable(info);
    const step = Math.floor(maxBytes / 16) * 16;
    const size = info.end - info.begin;
    for (let offset = 0; offset < size; offset += step) {
      const byteLength = Math.min(step, size - offset);
      yield { offset, bytes: await this.read(info, { byteOffset: offset, byteLength }) };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = [...this.#handles.values()];
    this.#handles.clear();
    for (const result of await Promise.allSettled(opening)) {
      if (result.status === "fulfilled") await result.value.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkReadable({ name, dtype, file }: TensorInfo): void {
    if (this.#closed)
      throw new RmtrainError(`${file}: tensor ${quoted(name)} is read after the checkpoint was closed`);
    if (!this.files.includes(file)) throw new RmtrainError(`${file}: not a file of this checkpoint`);
    if (!isReadable(dtype)) {
      throw new InputError(
        `${file}: tensor ${quoted(name)} has dtype ${dtype}, which isn't supported: export it as F32, F16 or BF16`,
      );
    }
  }

  /** Opened at the first read and shared by all; a failure isn't kept, so that a later read tries again. */
  #handle(file: string): Promise<FileHandle> {
    const existing = this.#handles.get(file);
    if (existing) return existing;
    const opening = openFile(file);
    this.#handles.set(file, opening);
    opening.catch(() => this.#handles.delete(file));
    return opening;
  }
}
