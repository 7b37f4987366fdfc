/** @file The models that a run leaves: the best in its folder and, where it is another, the last step's below it. */
import { join } from "node:path";
import type { ExampleKind } from "../data/example-kind.ts";
import type { PreferenceRecord } from "../data/preference.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import { writeModelCard } from "./card/card.ts";
import type { Dataset } from "./dataset.ts";
import { type Evaluation, evaluate, type PairMetrics } from "./evaluate.ts";
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
  /** On the held-out pairs; undefined where there are none, and for records of another kind. */
  readonly evaluation: Evaluation | undefined;
  /** Held-out pairs with their rewards, in order. */
  readonly rewards: readonly {
    readonly record: PreferenceRecord;
    readonly chosen: number;
    readonly rejected: number;
  }[];
  /** Held-out records that are no pairs; undefined where there are none. */
  readonly others?: OthersEvaluation | undefined;
}

export interface OthersEvaluation {
  readonly metrics: PairMetrics;
  /** In order. */
  readonly rewards: readonly { readonly where: string; readonly rewards: readonly number[] }[];
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
   * The held-out records under the weights as saved; undefined where nothing is held out.
   * @param dir what `save` has written
   */
  evaluate(dir: string, kept: Kept): Promise<HeldOutScores | undefined>;
}

export interface HeldOutScores {
  readonly metrics: PairMetrics;
  /** Per record, of its sequences. */
  readonly rewards: readonly Float32Array[];
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
    const closing = closingEvaluation(await saving.evaluate(dir, kept), dataset, options);
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
  scores: HeldOutScores | undefined,
  { eval: held }: Dataset<ExampleKind>,
  options: TrainOptions,
): Omit<KeptModel, "dir" | "step"> {
  if (scores === undefined || held === undefined) return { evaluation: undefined, rewards: [] };
  const { metrics, rewards } = scores;
  if (held.kind !== "pairs") {
    const own = held.examples.map(({ record }, i) => ({
      where: record.where,
      rewards: Array.from(rewards[i] ?? []),
    }));
    return { evaluation: undefined, rewards: [], others: { metrics, rewards: own } };
  }
  const { centerRewardsCoefficient, groupBy } = options;
  const side = (reply: number) => Float32Array.from(rewards, (own) => own[reply] ?? Number.NaN);
  const sides = { chosen: side(0), rejected: side(1) };
  return {
    evaluation: evaluate(held.pairs, sides, centerRewardsCoefficient, groupBy, pairObjective(options)),
    rewards: held.pairs.map(({ record }, i) => ({
      record,
      chosen: sides.chosen[i]!,
      rejected: sides.rejected[i]!,
    })),
  };
}
