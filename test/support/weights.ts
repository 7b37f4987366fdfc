/** @file Matrices in every dtype that weights are stored in, with the values that the rounding left. */
import type { Gpu } from "../../src/gpu/gpu.ts";
import { createTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { bf16Bits, f16Bits, roundBf16, roundF16 } from "../reference/rounding.ts";

export const weightDtypes = ["f32", "f16", "bf16"] as const;
export type WeightDtype = (typeof weightDtypes)[number];

/** The values that `dtype` holds for these. */
export function rounded(values: Float32Array, dtype: WeightDtype): Float32Array {
  return dtype === "f32" ? values : values.map(dtype === "f16" ? roundF16 : roundBf16);
}

/** Values [rows, cols] on the device as `dtype`. */
export function uploadWeight(gpu: Gpu, values: Float32Array, cols: number, dtype: WeightDtype): Tensor {
  if (dtype === "f32") return uploadTensor(gpu, values, cols, "weight");
  const tensor = createTensor(gpu, values.length / cols, cols, "weight", { dtype });
  const stored = new Uint16Array(tensor.rows * tensor.stride);
  const toBits = dtype === "f16" ? f16Bits : bf16Bits;
  values.forEach((v, i) => {
    stored[Math.floor(i / cols) * tensor.stride + (i % cols)] = toBits(v);
  });
  gpu.write(tensor.buffer, 0, stored);
  return tensor;
}
