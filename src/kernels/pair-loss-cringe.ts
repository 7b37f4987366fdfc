/** @file The pairwise CRINGE loss, with gradient and metrics: of log-probabilities and the rejected replies' penalties. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { cringePairs as kernel } from "./generated/index.ts";
import { expectMetrics, type MetricsRow } from "./metric-columns.ts";
import { expectShape } from "./shapes.ts";

/** α, b and τ of the formula. */
export interface CringeConstants {
  readonly weight: number;
  readonly margin: number;
  /** Above 0. */
  readonly temperature: number;
}

export interface CringeTargets extends MetricsRow {
  /** Pairs over which the loss is a mean, where the gradients of several calls add up to one step's. Default: n. */
  readonly total?: number;
}

/**
 * mean(g (-r_w + α c)), g = sigmoid((b - (r_w - r_l)) / τ), of n pairs, written to the metrics' row.
 * @param scores [3 n, 1] f32: log π of all chosen, then of all rejected, then the rejected ones' penalties c
 * @returns d loss / d scores, [3 n, 1] f32; the sum over pairs is divided by `total`
 */
export function cringePairs(
  gpu: Gpu,
  scores: Tensor,
  targets: CringeTargets,
  { weight, margin, temperature }: CringeConstants,
): Tensor {
  const pairs = scores.rows / 3;
  if (!Number.isInteger(pairs) || pairs === 0)
    throw new Error(`cringePairs: ${scores.shape} holds no pairs with penalties`);
  const { metrics, row, total = pairs } = targets;
  expectShape("cringePairs", scores, 3 * pairs, 1);
  expectMetrics("cringePairs", targets);
  const gradient = createTensor(gpu, scores.rows, 1, "reward_gradient", { capacity: scores.capacity });
  gpu.recorder.dispatch(kernel, {
    bindings: [scores, gradient, metrics].map((tensor) => bind(gpu, tensor)),
    params: { pairs, total, metrics_at: row * metrics.stride, lanes: 64, weight, margin, temperature },
    workgroups: 1,
    work: 100 * pairs,
  });
  return gradient;
}

/** For building it ahead and for tests that compile all. */
export const cringePairsKernels = [{ kernel, variant: {} }] as const;
