/** @file What a reward parametrisation is: how weights and features make a reward, and what it asks of the data. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PairSet } from "../dataset.ts";

export const rewardNames = ["scalar", "tilted", "implicit"] as const;
export type RewardName = (typeof rewardNames)[number];

export interface RewardParametrisation {
  readonly name: RewardName;
  /** Why rewards of different prompts can't be compared, nor one reward with 0; undefined where they can. */
  readonly relative?: string;
  /** What the run should say about these pairs. */
  readonly notes: (set: PairSet) => string[];
}

/** A reward that a lone head makes of features. */
export interface HeadReward extends RewardParametrisation {
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
}

export function isHeadReward(reward: RewardParametrisation): reward is HeadReward {
  return "forward" in reward && "backward" in reward;
}
