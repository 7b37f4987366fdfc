/**
 * @file The logistic loss -p log sigmoid(d) - (1 - p) log sigmoid(-d), d = r_w - r_l - margin: the likelihood of Bradley
 * & Terry 1952. Ouyang et al. 2022 (arXiv 2203.02155, eq. 1) train reward models with it, Rafailov et al. 2023
 * (arXiv 2305.18290, eq. 7) policies; what the rewards are is not this file's matter.
 */
import { pairwiseLogistic } from "../../kernels/pairwise-logistic.ts";
import type { PreferenceLoss } from "./loss.ts";

export const logistic: PreferenceLoss = {
  name: "logistic",
  record: pairwiseLogistic,
  ofPair: (d, p) => p * softplusNegative(d) + (1 - p) * softplusNegative(-d),
  slope: (d, p) => (1 - p) * sigmoid(d) - p * sigmoid(-d),
};

/** 1 / (1 + exp(-z)); a large exp(-z) gives 0, which is right. */
function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** -log sigmoid(z), stable at any z. */
export function softplusNegative(z: number): number {
  return Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}
