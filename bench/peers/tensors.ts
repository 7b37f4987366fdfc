/** @file Tensors on the host and in safetensors files: how inputs reach the contestants and results come back. */
import { openCheckpoint, toFloat32, writeSafetensors } from "../../src/model/safetensors/index.ts";

/** f32, row after row. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type Tensors = ReadonlyMap<string, HostTensor>;

export async function writeTensors(path: string, tensors: Tensors): Promise<void> {
  await writeSafetensors(
    path,
    [...tensors].map(([name, { shape, values }]) => ({
      name,
      dtype: "F32",
      shape,
      data: () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    })),
  );
}

export async function readTensors(path: string): Promise<Map<string, HostTensor>> {
  await using file = await openCheckpoint(path);
  const tensors = new Map<string, HostTensor>();
  for (const info of file.tensors.values())
    tensors.set(info.name, { shape: info.shape, values: toFloat32(await file.read(info), info.dtype) });
  return tensors;
}

/** @throws Error naming the tensor that is missing */
export function tensorOf(tensors: Tensors, name: string): HostTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`there is no tensor ${name}`);
  return tensor;
}

/** Uniform in [-size, size), the same on every machine. */
export function noise(seed: number, shape: readonly number[], size = 1): HostTensor {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const count = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: count }, () => {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return size * ((state >>> 0) / 2 ** 31 - 1);
  });
  return { shape, values };
}

/** Rows and columns change places. */
export function transposed({ shape, values }: HostTensor): HostTensor {
  const [rows = 1, cols = 1] = shape;
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out[c * rows + r] = values[r * cols + c] ?? 0;
  return { shape: [cols, rows], values: out };
}

/** ||own - reference|| / ||reference|| over all of the reference's tensors together; NaN where one is missing. */
export function relativeError(own: Tensors, reference: Tensors): number {
  let difference = 0;
  let norm = 0;
  for (const [name, { values }] of reference) {
    const other = own.get(name)?.values;
    if (other?.length !== values.length) return Number.NaN;
    for (let i = 0; i < values.length; i++) {
      difference += ((other[i] ?? 0) - (values[i] ?? 0)) ** 2;
      norm += (values[i] ?? 0) ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}
