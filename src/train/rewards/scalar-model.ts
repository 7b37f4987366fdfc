/** @file The scalar reward as whole models are trained by it. */
import type { ModelRewardKind } from "./model-reward.ts";
import { scalarReward } from "./scalar-reward.ts";
import { scoreScalar } from "./scalar-scores.ts";

export const scalarModel: ModelRewardKind = {
  name: "scalar",
  head: "score",
  open: async ({ recipe, folder }) => scalarReward(recipe, folder.config.padTokenId),
  score: scoreScalar,
};
