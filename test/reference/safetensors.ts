/**
 * @file A minimal safetensors reader for tests, independent of the one in src/: whole files, all values widened to
 * float64. It trusts the file.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { widenBf16, widenF16 } from "./rounding.ts";

/** A tensor with its values widened to float64, row-major. */
export interface Tensor64 {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export type Tensors64 = ReadonlyMap<string, Tensor64>;

const READERS: Readonly<Record<string, [bytes: number, read: (view: DataView, at: number) => number]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => widenF16(view.getUint16(at, true))],
  BF16: [2, (view, at) => widenBf16(view.getUint16(at, true))],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
  U8: [1, (view, at) => view.getUint8(at)],
  BOOL: [1, (view, at) => view.getUint8(at)],
};

/** Every tensor of one file. */
export function readSafetensors(path: string): Map<string, Tensor64> {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(file.toString("utf8", 8, 8 + headerBytes));
  const view = new DataView(file.buffer, file.byteOffset + 8 + headerBytes);
  const tensors = new Map<string, Tensor64>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const reader = READERS[dtype];
    if (!reader) throw new Error(`${path}: ${name} has dtype ${dtype}`);
    const [bytes, read] = reader;
    const [start, end] = data_offsets;
    const data = new Float64Array((end - start) / bytes);
    for (let i = 0; i < data.length; i++) data[i] = read(view, start + i * bytes);
    tensors.set(name, { dtype, shape, data });
  }
  return tensors;
}

/** Every tensor of a model folder, all shards together. */
export function readModelFolder(dir: string): Map<string, Tensor64> {
  const shards = readdirSync(dir).filter((name) => name.endsWith(".safetensors"));
  return new Map(shards.flatMap((name) => [...readSafetensors(join(dir, name))]));
}
