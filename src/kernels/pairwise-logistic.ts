/** @file The pairwise logistic loss by its own name. */
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type PairLossTargets, pairLoss } from "./pair-loss.ts";

export { metricColumns } from "./metric-columns.ts";

export type PairwiseLogistic = PairLossTargets;

/**
 * mean(-p log sigmoid(d) - (1 - p) log sigmoid(-d)) + c * mean((r_w + r_l)^2), d = r_w - r_l - m, of n pairs (Bradley &
 * Terry 1952; Ouyang et al. 2022, eq. 1), written to the metrics' row.
 * @param rewards [2 n, 1] f32: all chosen, then all rejected
 * @returns d loss / d rewards, [2 n, 1] f32; the sum over pairs is divided by `total`
 */
export function pairwiseLogistic(gpu: Gpu, rewards: Tensor, targets: PairwiseLogistic): Tensor {
  return pairLoss(gpu, "logistic", rewards, targets, { beta: 1, smoothing: 0, tau: 1 });
}
