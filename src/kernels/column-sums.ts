/** @file Weighted sums of columns: the gradient of a one-row linear layer, such as the reward head. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { columnSums as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** Rows that are summed before their sum is added to the total; a function of nothing, so that the order is fixed. */
const chunk = 64;

/**
 * y = weights^T x, or y += weights^T x.
 * @param x [T, H] f32
 * @param weights [T, 1] f32
 * @param y [1, H] f32, written, or added to with `accumulate`
 */
export function columnSums(gpu: Gpu, x: Tensor, weights: Tensor, y: Tensor, accumulate = false): void {
  expectShape("columnSums", x, x.rows, x.cols);
  expectShape("columnSums", weights, x.rows, 1);
  expectShape("columnSums", y, 1, x.cols);
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, weights), bind(gpu, y)],
    params: { rows: x.rows, cols: x.cols, stride4: x.stride4, chunk, accumulate: accumulate ? 1 : 0 },
    workgroups: workgroupsForItems(x.stride4),
    work: 4 * x.rows * x.stride,
  });
}
