/** @file The form of the examples that a run's loss asks for; the examples must be of the loss's kind. */
import type { Example, LabelledRow, ListExample } from "../example-sets.ts";
import { findObjective } from "../objectives.ts";
import type { TrainOptions } from "../options.ts";
import type { ExampleForm } from "./form.ts";
import { checkTies, listForm } from "./lists.ts";
import { pairForm } from "./pairs.ts";
import { checkRows, mismatchedRows, rowForm } from "./rows.ts";
import { textForm } from "./texts.ts";

/** A run's examples, of the kind that its loss takes. */
export interface RunExamples {
  readonly train: readonly Example[];
  /** Empty: no evaluation. */
  readonly eval: readonly Example[];
}

/** @throws InputError where the examples are not what the loss can be computed of */
export function checkExamples(options: TrainOptions, { train, eval: held }: RunExamples): void {
  const { loss } = findObjective(options);
  if (loss.kind === "rows") checkRows(train.length, held.length, options);
  if (loss.kind === "lists") checkTies(loss, [...train, ...held] as ListExample[]);
}

/**
 * @param examples that `checkExamples` has found good
 * @param maxLength tokens of a sequence
 */
export function formOf(options: TrainOptions, examples: RunExamples, maxLength: number): ExampleForm {
  const objective = findObjective(options);
  const { loss, constants } = objective;
  switch (loss.kind) {
    case "pairs":
      return pairForm({ ...objective, loss }, options.centerRewardsCoefficient);
    case "texts":
      return textForm(loss);
    case "rows": {
      const rows = examples as { readonly train: LabelledRow[]; readonly eval: LabelledRow[] };
      const block = options.batchSize * options.gradientAccumulationSteps;
      return rowForm({ loss, constants }, mismatchedRows(rows, block, maxLength));
    }
    case "lists":
      return listForm(loss);
  }
}
