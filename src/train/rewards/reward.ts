/** @file What a reward parametrisation is: how weights and features make a reward, and what it asks of the data. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PairSet } from "../dataset.ts";

export const rewardNames = ["scalar", "tilted"] as const;
export type RewardName = (typeof rewardNames)[number];

export interface RewardParametrisation {
  readonly name: RewardName;
  /**
   * @param features [n, H] f32: the hidden state at which each sequence is read
   * @param head [1, H] f32
   * @returns rewards [n, 1] f32, as far as pairs can see them
   */
  readonly forward: (gpu: Gpu, features: Tensor, head: Tensor) => Tensor;
  /**
   * into = d loss / d head, or added to it.
   * @param gradient [n, 1] f32: d loss / d rewards
   */
  readonly backward: (gpu: Gpu, gradient: Tensor, features: Tensor, into: Tensor, add?: boolean) => void;
  /** Why the centering term can't be added to a loss of these rewards; undefined where it can. */
  readonly uncentered?: string;
  /** What the run should say about these pairs. */
  readonly notes: (set: PairSet) => string[];
}
