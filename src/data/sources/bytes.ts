/** @file A file's bytes as a stream whose beginning has been seen: gzip is undone, and failures name the file. */
import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InputError } from "../../errors.ts";
import { STDIN } from "./files.ts";

/** U+FEFF in UTF-8. */
export const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Bytes that are looked at to tell formats apart. */
const HEAD = 4096;
/** No format's mark is longer. */
const MAGIC = 8;
const LF = 0x0a;

/** A stream of bytes, and its first ones (4 KiB, or a pipe's first lines, or all), which `stream` gives as well. */
export interface Source {
  /** What errors call it. */
  readonly name: string;
  /** The file whose bytes these are; absent where they come from a pipe or were unpacked. */
  readonly path?: string;
  readonly head: Uint8Array;
  readonly stream: AsyncIterable<Uint8Array>;
  /** Closes the file; may be called at any time, and more than once. */
  close(): Promise<void>;
}

/**
 * Opens a file, or standard input for "-", and undoes gzip where the content is gzip, whatever the name.
 * @param onBytes is told of the file's bytes as they are read, before gzip is undone
 * @throws InputError naming the file, here or while the stream is read
 */
export async function openSource(
  file: string,
  name: string,
  onBytes: (count: number) => void = () => {},
): Promise<Source> {
  const bytes = file === STDIN ? process.stdin : createReadStream(file);
  const source = await peek(readable(bytes, name, onBytes), name);
  if (isGzip(source.head)) return await peek(gunzip(source), name);
  if (/\.gz$/i.test(file) && source.head.length > 0)
    throw new InputError(`${name}: not gzip, although its name ends in .gz`);
  return file === STDIN ? source : { ...source, path: file };
}

export function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

const isGzip = (head: Uint8Array) => startsWith(head, [0x1f, 0x8b]);

async function* readable(
  source: AsyncIterable<Uint8Array>,
  name: string,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) {
      onBytes(chunk.length);
      yield chunk;
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new InputError(`${name}: no such file`);
    if (code === "EISDIR") throw new InputError(`${name}: a folder, expected a file of records`);
    throw new InputError(`${name}: can't be read (${(error as Error).message})`);
  }
}

async function* gunzip({ stream, name }: Source): AsyncGenerator<Uint8Array> {
  const inflated = createGunzip();
  try {
    // The callback has nothing to do: a failure of either side comes out of the iteration.
    yield* pipeline(Readable.from(stream), inflated, () => {});
  } catch (error) {
    if (error instanceof InputError) throw error;
    const cut = (error as { code?: unknown }).code === "Z_BUF_ERROR";
    throw new InputError(
      `${name}: damaged gzip: ${cut ? "the file ends too early" : (error as Error).message}; get it again`,
    );
  }
}

/** Whether these bytes tell the format: a pipe's first line is not held back until more lines have come. */
function tells(seen: readonly Uint8Array[], length: number): boolean {
  return length >= MAGIC && seen.some((chunk) => chunk.includes(LF));
}

async function peek(stream: AsyncIterable<Uint8Array>, name: string): Promise<Source> {
  const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let length = 0;
  let done = false;
  while (length < HEAD && !done && !tells(seen, length)) {
    const next = await chunks.next();
    done = next.done === true;
    if (next.done) break;
    seen.push(next.value);
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* seen;
      seen.length = 0;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  const close = async () => void (await chunks.return?.());
  return { name, head: Buffer.concat(seen).subarray(0, HEAD), stream: all(), close };
}
