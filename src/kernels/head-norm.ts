/** @file RMSNorm of each head's columns, in place (Qwen3's q and k norms). */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { headNorm as kernel } from "./generated/index.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const WG = 64;

export interface HeadRange {
  readonly heads: number;
  readonly headDim: number;
  /** First column of the first head. */
  readonly firstCol: number;
}

/**
 * x[:, heads] = x / sqrt(mean(x^2) + eps) * weight, over each head's `headDim` columns.
 * @param x [T, cols] f32, changed in place
 * @param weight [1, headDim] f32
 */
export function headNorm(gpu: Gpu, x: Tensor, weight: Tensor, eps: number, range: HeadRange): void {
  expectShape("headNorm", weight, 1, range.headDim);
  if (range.firstCol + range.heads * range.headDim > x.cols)
    throw new Error(`headNorm: heads go past the end of ${x.shape}`);
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, weight), bind(gpu, x)],
    params: {
      rows: x.rows,
      heads: range.heads,
      head_dim: range.headDim,
      first: range.firstCol,
      stride: x.stride,
      eps,
    },
    workgroups: ceilDiv(x.rows * range.heads, WG),
    work: 4 * x.rows * range.heads * range.headDim,
  });
}
