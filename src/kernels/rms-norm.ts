/** @file RMSNorm, over whole rows or over each head's columns. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { rmsNorm as kernel } from "./generated/index.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const WG = 64;

/**
 * y = x / sqrt(mean(x^2) + eps) * weight over each group of `weight.cols` columns (Zhang & Sennrich 2019, eq. 4).
 * @param x [T, groups * D] f32
 * @param weight [1, D] f32
 * @returns [T, groups * D] f32
 */
export function rmsNorm(gpu: Gpu, x: Tensor, weight: Tensor, eps: number): Tensor {
  expectShape("rmsNorm", weight, 1, weight.cols);
  const groups = x.cols / weight.cols;
  if (!Number.isInteger(groups)) throw new Error(`rmsNorm: ${x.shape} is no whole number of ${weight.shape}`);
  const y = createTensor(gpu, x.rows, x.cols, "rms_norm", { capacity: x.capacity });
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, weight), bind(gpu, y)],
    params: { rows: x.rows, groups, cols: weight.cols, x_stride: x.stride, y_stride: y.stride, eps },
    workgroups: ceilDiv(x.rows * groups, WG),
    work: 4 * x.rows * x.cols,
  });
  return y;
}
