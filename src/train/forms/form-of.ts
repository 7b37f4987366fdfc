/** @file The form of the examples that a run's loss asks for. */
import type { Pair } from "../example-sets.ts";
import { pairObjective } from "../objectives.ts";
import type { TrainOptions } from "../options.ts";
import type { ExampleForm } from "./form.ts";
import { pairForm } from "./pairs.ts";

export function formOf(options: TrainOptions): ExampleForm<Pair> {
  return pairForm(pairObjective(options), options.centerRewardsCoefficient);
}
