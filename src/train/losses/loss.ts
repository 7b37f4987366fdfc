/** @file What a preference loss is: a function of rewards and of what the data say about them, and of nothing else. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { PairwiseLogistic } from "../../kernels/pairwise-logistic.ts";
import type { Tensor } from "../../tensor/tensor.ts";

export const lossNames = ["logistic"] as const;
export type LossName = (typeof lossNames)[number];

export interface PreferenceLoss {
  readonly name: LossName;
  /**
   * Records the loss of n pairs on the device, with its metrics.
   * @param rewards [2 n, 1] f32: all chosen, then all rejected
   * @returns d loss / d rewards, [2 n, 1] f32
   */
  readonly record: (gpu: Gpu, rewards: Tensor, targets: PairwiseLogistic) => Tensor;
  /**
   * The same of one pair, in float64 on the host.
   * @param difference d = r_w - r_l - margin
   * @param label p in [0, 1], the probability that the chosen reply is the better one
   */
  readonly ofPair: (difference: number, label: number) => number;
  /** d ofPair / d difference. */
  readonly slope: (difference: number, label: number) => number;
}
