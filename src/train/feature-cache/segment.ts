/**
 * @file A segment: a file of rows, each with its key and a digest of both. Records have one size, so that damage to one
 * touches no other.
 *
 *   header   64 bytes: magic "rmtrain features" (16), version u32, H u32, zeros (8), space (32 hexadecimal digits)
 *   record   32 + 4 H bytes: key (16), row (H f32, little-endian), SHA-256 of space, key and row (its first 16 bytes)
 *
 * A record whose key is all zeros is a free place: reserved and not written, or damaged and cleared.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { keyBytes } from "./keys.ts";

export interface Space {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** H */
  readonly width: number;
}

/** Rows with their keys, as they come from a file. */
export interface Rows {
  readonly keys: readonly string[];
  /** [keys.length, H] */
  readonly values: Float32Array;
}

export const headerBytes = 64;
const magic = "rmtrain features";
const version = 1;
const digestBytes = 16;
const freeKey = "\0".repeat(keyBytes);
/** Host bytes per read. */
const chunkBytes = 4 * 2 ** 20;

export const recordBytes = ({ width }: Space): number => keyBytes + 4 * width + digestBytes;

export function header({ id, width }: Space): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.write(magic, 0, "latin1");
  bytes.writeUInt32LE(version, 16);
  bytes.writeUInt32LE(width, 20);
  bytes.write(id, 32, "latin1");
  return bytes;
}

/** Records end to end. @param values [keys.length, H] */
export function encodeRecords(space: Space, { keys, values }: Rows): Buffer {
  const size = recordBytes(space);
  const bytes = Buffer.alloc(keys.length * size);
  const rows = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  for (const [i, key] of keys.entries()) {
    const at = i * size;
    bytes.write(key, at, "latin1");
    rows.copy(bytes, at + keyBytes, i * 4 * space.width, (i + 1) * 4 * space.width);
    digest(space, bytes, at).copy(bytes, at + size - digestBytes);
  }
  return bytes;
}

function digest(space: Space, bytes: Buffer, at: number): Buffer {
  const content = bytes.subarray(at, at + keyBytes + 4 * space.width);
  return createHash("sha256").update(space.id).update(content).digest().subarray(0, digestBytes);
}

/** What a segment's reader found beside the rows. */
export interface SegmentState {
  /** Records whose digest is right. */
  sound: number;
  /** Offsets of records whose digest is wrong. */
  readonly damaged: number[];
  /** Where the last whole record ends; below the file's size when the file was cut inside a record. */
  end: number;
  size: number;
}

/**
 * Reads a segment from front to end, a few MiB at a time, and checks every record.
 * @param state is filled while reading
 * @returns false where the header is not that of this space
 */
export async function readSegment(
  path: string,
  space: Space,
  state: SegmentState,
  take: (rows: Rows) => Promise<void>,
): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    state.size = (await handle.stat()).size;
    if (!(await readFully(handle, 0, headerBytes)).equals(header(space))) return false;
    const size = recordBytes(space);
    const perChunk = Math.max(1, Math.floor(chunkBytes / size)) * size;
    state.end = headerBytes;
    while (state.size - state.end >= size) {
      const bytes = await readFully(handle, state.end, perChunk);
      const count = Math.floor(bytes.length / size);
      if (count === 0) break;
      await take(soundRows(space, bytes, count, state));
      state.end += count * size;
    }
    return true;
  } finally {
    await handle.close();
  }
}

/** @param state its `end` is where `bytes` begin in the file */
function soundRows(space: Space, bytes: Buffer, count: number, state: SegmentState): Rows {
  const size = recordBytes(space);
  const keys: string[] = [];
  const values = new Float32Array(count * space.width);
  const target = new Uint8Array(values.buffer);
  for (let at = 0; at < count * size; at += size) {
    const key = bytes.toString("latin1", at, at + keyBytes);
    if (key === freeKey) continue;
    if (!digest(space, bytes, at).equals(bytes.subarray(at + size - digestBytes, at + size))) {
      state.damaged.push(state.end + at);
      continue;
    }
    target.set(bytes.subarray(at + keyBytes, at + size - digestBytes), keys.length * 4 * space.width);
    keys.push(key);
  }
  state.sound += keys.length;
  return { keys, values: values.subarray(0, keys.length * space.width) };
}

/** Up to `length` bytes; fewer only at the file's end. */
async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Makes free places of a complete segment's damaged records and cuts off what is no whole record. */
export async function clearDamage(path: string, space: Space, state: SegmentState): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const nothing = Buffer.alloc(recordBytes(space));
    for (const at of state.damaged) await handle.write(nothing, 0, nothing.length, at);
    if (state.end < state.size) await handle.truncate(state.end);
  } finally {
    await handle.close();
  }
}
