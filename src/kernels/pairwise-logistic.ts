/** @file The pairwise logistic loss with its gradient and metrics. It knows rewards, not where they came from. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { pairwiseLogistic as kernel } from "./generated/index.ts";
import { expectShape } from "./shapes.ts";

/** Columns of a metrics tensor [steps, count] f32. All are means over the step's pairs; the optimiser adds gradNorm. */
export const metricColumns = {
  loss: 0,
  /**
   * Share of pairs whose preferred reply (the chosen one where the label is above 0.5, else the rejected one) has the
   * larger reward; ties are wrong. Pairs with label 0.5 have no right answer and are left out; 0 where there are no others.
   */
  accuracy: 1,
  /** Share of pairs with r_w = r_l. */
  ties: 2,
  /** mean(r_w - r_l) */
  margin: 3,
  /** Over both sides. */
  minReward: 4,
  meanReward: 5,
  maxReward: 6,
  /** Of all gradients, before clipping. */
  gradNorm: 7,
  count: 8,
} as const;

export interface PairwiseLogistic {
  /** [n, 1] f32: each pair's own margin m. */
  readonly margins: Tensor;
  /** [n, 1] f32 in [0, 1]: the probability p that the chosen reply is the better one. */
  readonly labels: Tensor;
  /** Pairs over which the loss is a mean, where the gradients of several calls add up to one step's. Default: n. */
  readonly total?: number;
  /** c of c * mean((r_w + r_l)^2). */
  readonly centering: number;
  /** [steps, metricColumns.count] f32, of which row `row` is written (all but gradNorm): of these n pairs, whatever `total`. */
  readonly metrics: Tensor;
  readonly row: number;
}

/**
 * mean(-p log sigmoid(d) - (1 - p) log sigmoid(-d)) + c * mean((r_w + r_l)^2), d = r_w - r_l - m, of n pairs (Bradley &
 * Terry 1952; Ouyang et al. 2022, eq. 1), written to the metrics' row.
 * @param rewards [2 n, 1] f32: all chosen, then all rejected
 * @returns d loss / d rewards, [2 n, 1] f32; the sum over pairs is divided by `total`
 */
export function pairwiseLogistic(gpu: Gpu, rewards: Tensor, loss: PairwiseLogistic): Tensor {
  const pairs = rewards.rows / 2;
  if (!Number.isInteger(pairs) || pairs === 0)
    throw new Error(`pairwiseLogistic: ${rewards.shape} holds no pairs`);
  const { margins, labels, metrics, row, total = pairs } = loss;
  expectShape("pairwiseLogistic", rewards, 2 * pairs, 1);
  expectShape("pairwiseLogistic margins", margins, pairs, 1);
  expectShape("pairwiseLogistic labels", labels, pairs, 1);
  expectShape("pairwiseLogistic", metrics, metrics.rows, metricColumns.count);
  if (row >= metrics.rows) throw new Error(`pairwiseLogistic: ${metrics.shape} has no row ${row}`);
  const gradient = createTensor(gpu, rewards.rows, 1, "reward_gradient", { capacity: rewards.capacity });
  gpu.recorder.dispatch(kernel, {
    bindings: [rewards, margins, labels, gradient, metrics].map((tensor) => bind(gpu, tensor)),
    params: { pairs, total, metrics_at: row * metrics.stride, centering: loss.centering, lanes: 64 },
    workgroups: 1,
    work: 100 * pairs,
  });
  return gradient;
}
