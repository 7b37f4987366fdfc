/** @file Which rewards whole models can be trained by. */
import { InputError } from "../errors.ts";
import { findObjective } from "./objectives.ts";
import type { TrainOptions } from "./options.ts";
import { implicit } from "./rewards/implicit.ts";
import type { ModelRewardKind } from "./rewards/model-reward.ts";
import type { RewardName } from "./rewards/reward.ts";
import { scalarModel } from "./rewards/scalar-model.ts";

const kinds: Readonly<Partial<Record<RewardName, ModelRewardKind>>> = {
  scalar: scalarModel,
  implicit,
  // The same number, read as a policy's.
  tilted: { ...scalarModel, name: "tilted" },
};

/** @throws InputError where the objective's reward can't be made by a whole model */
export function modelRewardKind(options: TrainOptions): ModelRewardKind {
  const { name } = findObjective(options).reward;
  const kind = kinds[name];
  if (kind !== undefined) return kind;
  throw new InputError(
    `--reward ${name} can't be trained with --trainable ${options.trainable}; there are ${Object.keys(kinds).join(", ")}`,
  );
}
