/** @file The losses of pairs of rewards, with gradient and metrics. They know rewards, not where they came from. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { pairLoss as kernel } from "./generated/index.ts";
import { expectMetrics, type MetricsRow } from "./metric-columns.ts";
import { expectShape } from "./shapes.ts";

/** Which of wgsl/lib/pair_loss.*.wgsl. */
export type PairLossKernel = keyof typeof kernel.headers.pair_loss;

/** What the formulas need beside rewards and targets; each reads what it needs. */
export interface PairConstants {
  /** β of r = β ρ, where a loss has a scale of its own. */
  readonly beta: number;
  /** ε in [0, 1/2): the share of labels that are wrong. */
  readonly smoothing: number;
  /** τ in (0, 1], DiscoPOP's temperature. */
  readonly tau: number;
}

export interface PairLossTargets extends MetricsRow {
  /** [n, 1] f32: each pair's own margin m. */
  readonly margins: Tensor;
  /** [n, 1] f32 in [0, 1]: the probability p that the chosen reply is the better one. */
  readonly labels: Tensor;
  /** Pairs over which the loss is a mean, where the gradients of several calls add up to one step's. Default: n. */
  readonly total?: number;
  /** c of c * mean((r_w + r_l)^2). */
  readonly centering: number;
}

/**
 * mean(loss of a pair) + c * mean((r_w + r_l)^2) of n pairs, written to the metrics' row.
 * @param rewards [2 n, 1] f32: all chosen, then all rejected
 * @returns d loss / d rewards, [2 n, 1] f32; the sum over pairs is divided by `total`
 */
export function pairLoss(
  gpu: Gpu,
  loss: PairLossKernel,
  rewards: Tensor,
  targets: PairLossTargets,
  constants: PairConstants,
): Tensor {
  const pairs = rewards.rows / 2;
  if (!Number.isInteger(pairs) || pairs === 0) throw new Error(`pairLoss: ${rewards.shape} holds no pairs`);
  const { margins, labels, metrics, row, centering, total = pairs } = targets;
  expectShape("pairLoss", rewards, 2 * pairs, 1);
  expectShape("pairLoss margins", margins, pairs, 1);
  expectShape("pairLoss labels", labels, pairs, 1);
  expectMetrics("pairLoss", targets);
  const gradient = createTensor(gpu, rewards.rows, 1, "reward_gradient", { capacity: rewards.capacity });
  gpu.recorder.dispatch(kernel, {
    variant: variant(loss),
    bindings: [rewards, margins, labels, gradient, metrics].map((tensor) => bind(gpu, tensor)),
    params: { pairs, total, metrics_at: row * metrics.stride, centering, lanes: 64, ...constants },
    workgroups: 1,
    work: 100 * pairs,
  });
  return gradient;
}

const variant = (loss: PairLossKernel) => ({ headers: { pair_loss: loss } });

export const pairLossKernels: readonly KernelVariant[] = Object.keys(kernel.headers.pair_loss).map(
  (loss) => ({
    kernel,
    variant: { headers: { pair_loss: loss } },
  }),
);
