/** @file Weighted sums of a column, written to a row of metrics: means of some rows, shares, losses. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { weightedSums as kernel } from "./generated/index.ts";
import { expectShape } from "./shapes.ts";

/** Where weighted sums go: columns `column`, `column + 1`, ... of a row. */
export interface SumsInto {
  readonly metrics: Tensor;
  readonly row: number;
  readonly column: number;
  /** Adds to what is there. */
  readonly accumulate?: boolean;
}

/**
 * metrics[row, column + c] = sum over n of weights[n, c] x[n]: means of some rows, for metrics.
 * @param x [N, 1] f32 @param weights [N, C] f32, C at most 64
 */
export function weightedSums(gpu: Gpu, x: Tensor, weights: Tensor, into: SumsInto): void {
  const { metrics, row, column, accumulate = false } = into;
  expectShape("weightedSums", x, weights.rows, 1);
  if (row >= metrics.rows || column + weights.cols > metrics.cols || weights.cols > 64)
    throw new Error(`weightedSums: ${metrics.shape} has no row ${row} with columns from ${column} on`);
  gpu.recorder.dispatch(kernel, {
    bindings: [x, weights, metrics].map((tensor) => bind(gpu, tensor)),
    params: {
      rows: x.rows,
      cols: weights.cols,
      stride: weights.stride,
      at: row * metrics.stride + column,
      accumulate: accumulate ? 1 : 0,
    },
    workgroups: 1,
    work: 4 * x.rows,
  });
}

/** For building it ahead and for tests that compile all. */
export const weightedSumsKernels = [{ kernel, variant: {} }] as const;
