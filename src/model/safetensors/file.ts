/** @file One safetensors file on disk: opening it, its header, and byte ranges of its tensors. */
import { type FileHandle, open } from "node:fs/promises";
import { InputError, RmtrainError } from "../../errors.ts";
import { isSystemError } from "../atomic-file.ts";
import { type Header, headerByteLength, PREFIX_BYTES, parseHeader, type TensorInfo } from "./header.ts";
import { quoted } from "./scanner.ts";

/** A single system call reads less than 2 GiB. */
const MOST_BYTES_PER_READ = 2 ** 30;

/** Opens a file for reading. @throws InputError naming it */
export async function openFile(file: string): Promise<FileHandle> {
  return naming(file, () => open(file, "r"));
}

/** Reads and validates a file's header; the file is closed again. @throws InputError naming the file and tensor */
export async function readHeader(file: string): Promise<Header> {
  const handle = await openFile(file);
  try {
    const { size } = await naming(file, () => handle.stat());
    const prefix = await fill(handle, file, 0, Math.min(PREFIX_BYTES, size));
    const bytes = await fill(handle, file, 0, headerByteLength(prefix, size, file));
    return parseHeader(bytes, size, file);
  } finally {
    await handle.close();
  }
}

/**
 * Reads bytes of a tensor into a buffer of their own.
 * @param begin absolute offset in the file
 * @throws InputError when the file has become shorter; RmtrainError when no array can be so long
 */
export async function readRange(
  handle: FileHandle,
  info: TensorInfo,
  begin: number,
  byteLength: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const what = `${info.file}, tensor ${quoted(info.name)}`;
  return fill(handle, what, begin, byteLength);
}

async function fill(
  handle: FileHandle,
  what: string,
  begin: number,
  byteLength: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(byteLength, what);
  for (let at = 0; at < byteLength; ) {
    const length = Math.min(MOST_BYTES_PER_READ, byteLength - at);
    const { bytesRead } = await naming(what, () => handle.read(bytes, at, length, begin + at));
    if (bytesRead === 0)
      throw new InputError(`${what}: the file ends at byte ${begin + at}: it was changed while in use`);
    at += bytesRead;
  }
  return bytes;
}

function allocate(byteLength: number, what: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new RmtrainError(
      `${what}: ${byteLength} bytes don't fit into memory at once: read them in chunks`,
      { cause },
    );
  }
}

async function naming<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isSystemError(error)) throw new InputError(`can't read ${what}: ${error.message}`, { cause: error });
    throw error;
  }
}
