/** @file Shape checks and grid arithmetic that every operation shares. */
import type { Dtype, Tensor } from "../tensor/tensor.ts";

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

/** @throws Error naming the operation, the tensor and both shapes: a defect of the caller */
export function expectShape(
  op: string,
  tensor: Tensor,
  rows: number,
  cols: number,
  dtype: Dtype = "f32",
): void {
  if (tensor.rows !== rows || tensor.cols !== cols || tensor.dtype !== dtype) {
    throw new Error(`${op}: expected ${dtype}[${rows}, ${cols}], got ${tensor.shape}`);
  }
}
