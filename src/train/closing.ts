/** @file The models that a run leaves: the best in its folder and, where it is another, the last step's below it. */
import { join } from "node:path";
import type { ExampleKind } from "../data/example-kind.ts";
import type { PreferenceRecord } from "../data/preference.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import { writeModelCard } from "./card/card.ts";
import type { Dataset } from "./dataset.ts";
import { type Evaluation, evaluate, type PairRewards } from "./evaluate.ts";
import { pairsOf } from "./example-sets.ts";
import { pairObjective } from "./objectives.ts";
import type { TrainOptions } from "./options.ts";
import type { Prepared } from "./prepare.ts";
import type { RunFile } from "./run-file.ts";
import { lastFolder, removeLast } from "./state/folder.ts";
import type { Kept, Trained } from "./train-loop.ts";

/** A saved model and its closing evaluation, whose rewards `score` gives again bit for bit. */
export interface KeptModel {
  readonly dir: string;
  readonly step: number;
  /** On the held-out pairs; undefined where there are none. */
  readonly evaluation: Evaluation | undefined;
  /** Held-out pairs with their rewards, in order. */
  readonly rewards: readonly {
    readonly record: PreferenceRecord;
    readonly chosen: number;
    readonly rejected: number;
  }[];
}

export interface KeptModels {
  readonly best: KeptModel;
  /** Undefined: the best is the last step's. */
  readonly last: KeptModel | undefined;
}

/** How what learned becomes a model's folder. */
export interface Saving {
  save(dir: string, kept: Kept): Promise<void>;
  /**
   * Rewards of the held-out pairs under the weights as saved; undefined where nothing is held out.
   * @param dir what `save` has written
   */
  rewards(dir: string, kept: Kept): Promise<PairRewards | undefined>;
}

/** Saves the last model, then the best one, whose weights say that the run is complete. */
export async function saveModels(
  base: ModelFolder,
  { best, last, totalSteps }: Trained,
  saving: Saving,
  { dataset, findings, recipe }: Pick<Prepared<ExampleKind>, "dataset" | "findings" | "recipe">,
  options: TrainOptions,
  hasTokenizer: boolean,
  run: RunFile,
): Promise<KeptModels> {
  const save = async (dir: string, kept: Kept): Promise<KeptModel> => {
    const { step } = kept;
    await saving.save(dir, kept);
    const closing = closingEvaluation(await saving.rewards(dir, kept), dataset, options);
    const { evaluation } = closing;
    await writeModelCard(dir, {
      run,
      base,
      recipe,
      hasTokenizer,
      step,
      totalSteps,
      evaluation,
      findings,
    });
    return { dir, step, ...closing };
  };
  const another = last.step !== best.step;
  const lastModel = another ? await save(join(options.out, lastFolder), last) : undefined;
  const bestModel = await save(options.out, best);
  if (!another) await removeLast(options.out);
  return { best: bestModel, last: lastModel };
}

function closingEvaluation(
  rewards: PairRewards | undefined,
  dataset: Dataset<ExampleKind>,
  options: TrainOptions,
): Pick<KeptModel, "evaluation" | "rewards"> {
  if (rewards === undefined) return { evaluation: undefined, rewards: [] };
  const pairs = pairsOf(dataset.eval);
  const { chosen, rejected } = rewards;
  return {
    evaluation: evaluate(
      pairs,
      rewards,
      options.centerRewardsCoefficient,
      options.groupBy,
      pairObjective(options),
    ),
    rewards: pairs.map((p, i) => ({ record: p.record, chosen: chosen[i]!, rejected: rejected[i]! })),
  };
}
