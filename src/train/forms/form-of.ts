/** @file The form of the examples that a run's loss asks for; the examples must be of the loss's kind. */
import { InputError } from "../../errors.ts";
import { findObjective } from "../objectives.ts";
import type { TrainOptions } from "../options.ts";
import type { ExampleForm } from "./form.ts";
import { pairForm } from "./pairs.ts";
import { textForm } from "./texts.ts";

export function formOf(options: TrainOptions): ExampleForm {
  const objective = findObjective(options);
  const { loss } = objective;
  if (loss.kind === "pairs") return pairForm({ ...objective, loss }, options.centerRewardsCoefficient);
  if (loss.kind === "texts") return textForm(loss);
  throw new InputError(`--loss ${loss.name} takes ${loss.kind}, which whole models do not learn from yet`);
}
