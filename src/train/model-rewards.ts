/** @file Which rewards whole models can be trained by. */
import { findObjective, type Objective } from "./objectives.ts";
import type { TrainOptions } from "./options.ts";
import { implicitModel } from "./rewards/implicit.ts";
import type { ModelRewardKind } from "./rewards/model-reward.ts";
import type { RewardName } from "./rewards/reward.ts";
import { scalarModel } from "./rewards/scalar-model.ts";

const kinds: Readonly<Record<RewardName, (objective: Objective) => ModelRewardKind>> = {
  scalar: () => scalarModel,
  // The same number, read as a policy's.
  tilted: () => ({ ...scalarModel, name: "tilted" }),
  implicit({ form, loss }) {
    if (form === undefined) throw new Error("an implicit reward has a form");
    return implicitModel(form, loss.kind === "pairs");
  },
};

/** The reward of the run's objective, as a whole model makes it. */
export function modelRewardKind(options: TrainOptions): ModelRewardKind {
  const objective = findObjective(options);
  return kinds[objective.reward.name](objective);
}
