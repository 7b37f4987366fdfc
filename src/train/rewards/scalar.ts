/** @file The scalar reward of a reward model: r(x, y) = w . h, h the hidden state at the end of the text. */
import { linear } from "../../kernels/linear.ts";
import { linearWeightGradient } from "../../kernels/linear-gradient.ts";
import type { HeadReward } from "./reward.ts";

export const scalar: HeadReward = {
  name: "scalar",
  forward: (gpu, features, head) => linear(gpu, features, head),
  backward: linearWeightGradient,
  notes: () => [],
};
