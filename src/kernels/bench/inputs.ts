/** @file Inputs of the benchmark's cases: ordinary numbers, since zeros flatter some devices. */
import type { Gpu } from "../../gpu/gpu.ts";
import { createTensor, type Dtype, type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import type { PackedBatch } from "../packed-batch.ts";

/** The bits of 0.5 in both 16-bit formats. */
const half = { f16: 0x3800, bf16: 0x3f00 } as const;

/** [rows, cols] of values between -1 and 1; 16-bit ones are 0.5 and -0.5. */
export function filled(gpu: Gpu, rows: number, cols: number, dtype: Exclude<Dtype, "i32"> = "f32"): Tensor {
  const label = `bench ${dtype}`;
  if (dtype === "f32")
    return uploadTensor(gpu, Float32Array.from({ length: rows * cols }, wave), cols, label);
  const tensor = createTensor(gpu, rows, cols, label, { dtype });
  const bits = Uint16Array.from(
    { length: rows * tensor.stride },
    (_, i) => half[dtype] | (wave(0, i) < 0 ? 0x8000 : 0),
  );
  gpu.write(tensor.buffer, 0, bits);
  return tensor;
}

const wave = (_: unknown, i: number) => Math.sin(0.7 * i * (i % 1013));

/** One sequence of `rows` tokens. */
export function oneSequence(rows: number): PackedBatch {
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  return {
    rows,
    ids: positions,
    positions,
    segments: Int32Array.of(0, 0, 0, rows),
    sequenceSegments: Int32Array.of(0),
    maxPath: rows,
    paddedTokens: rows,
  };
}
