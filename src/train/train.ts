/**
 * @file A training run from records to saved models: read and check everything, compute features once, train the head
 * on them from the first step or from a saved state, keep the best and the last, evaluate what is saved.
 */

import type { Finding } from "../data/checks/finding.ts";
import type { ExampleKind } from "../data/example-kind.ts";
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { hashModel } from "../model/file-hash.ts";
import { openModelFolder } from "../model/model-folder.ts";
import { findTokenizer } from "../model/tokenizer.ts";
import { hashAdapter } from "./adapter-options.ts";
import { type CardKind, kindOf } from "./card/kind.ts";
import { checkOptions } from "./check-options.ts";
import type { KeptModel } from "./closing.ts";
import type { Dataset } from "./dataset.ts";
import type { PairRewards } from "./evaluate.ts";
import { pairsOf } from "./example-sets.ts";
import { prepareCacheFolder } from "./feature-cache/folder.ts";
import { checkExamples } from "./forms/form-of.ts";
import { modelRewardKind } from "./model-rewards.ts";
import { pairObjective } from "./objectives.ts";
import { type TrainArguments, type Trainable, type TrainOptions, withDefaults } from "./options.ts";
import { createOut } from "./out-folder.ts";
import { fitToPairs, planSteps } from "./plan.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { ReportWriter } from "./report/writer.ts";
import type { TrainReporter } from "./reporter.ts";
import { hashReference } from "./reward-record.ts";
import type { TokenCounts } from "./run-batches.ts";
import { describeRun, type RunFile, writeRunFile } from "./run-file.ts";
import type { Session } from "./session.ts";
import { checkResumable, checkStopping, reportResumed, stopIfAsked } from "./state/checks.ts";
import { identify, machineOf } from "./state/identity.ts";
import { findState } from "./state/resume.ts";
import { trainHead } from "./train-head.ts";
import { trainModel } from "./train-model.ts";

export interface TrainResult extends Pick<KeptModel, "evaluation" | "rewards" | "others"> {
  /** Folder of the model with the best evaluation accuracy (then loss, then the earlier); `evaluation` is its own. */
  readonly out: string;
  readonly trainable: Trainable;
  /** Whether it has a reward head, makes rewards of log-probabilities, or makes none. */
  readonly kind: CardKind;
  /** What log-probabilities are compared with, for rewards of such; undefined: an adapter's base. */
  readonly reference: string | undefined;
  /** The folder it was trained on: what low-rank updates are loaded with. */
  readonly model: string;
  /** The page with its report; undefined where none was asked for, and for others than pairs. */
  readonly report: string | undefined;
  readonly dataset: Dataset<ExampleKind>;
  readonly findings: readonly Finding[];
  /** The step whose weights those are; the last one where there is no evaluation. */
  readonly savedStep: number;
  /** The last step's model, where that is not the best. */
  readonly last: KeptModel | undefined;
  /** The last step that was done: below `totalSteps` where training stopped early. */
  readonly lastStep: number;
  readonly totalSteps: number;
  /** The step from which the run went on; undefined: it began at the first. */
  readonly resumedStep: number | undefined;
  /** Of the backbone: in its pass for features (all zeros where the cache had everything), else in this process's steps. */
  readonly counts: TokenCounts;
  /** Sequences whose features came from the cache. */
  readonly cached: number;
  readonly featureSeconds: number;
  readonly trainSeconds: number;
  /** Largest number of bytes on the device at once. */
  readonly peakBytes: number;
  /** The same, as foretold before the first step; where more than the head learns. */
  readonly predictedBytes?: number;
}

/** What a caller may ask of a run beside its options. */
export interface TrainControl {
  /** Aborted: the step is finished, its state saved, and the promise rejected with TrainingInterrupted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Go on from a saved state: the run's folder (its newest state), one of its checkpoint-N, or "auto" (the newest in
   * `out` where there is one, else from the first step). The run ends at the same bits as one that was never stopped.
   */
  readonly resume?: string | undefined;
}

/**
 * Trains a reward model on preference pairs and writes it to `options.out`.
 * @param gpu the device, or how to open it: it is opened only when the input has been found good
 * @throws InputError for bad input, before any work on the device; nothing is written then
 * @throws TrainingInterrupted when `control.signal` is aborted
 */
export async function train(
  gpu: Gpu | (() => Promise<Gpu>),
  given: TrainArguments,
  reporter: TrainReporter = { note() {} },
  control: TrainControl = {},
): Promise<TrainResult> {
  const options = withDefaults(given);
  checkOptions(options);
  if (options.trainable !== "head") modelRewardKind(options);
  const from = await findState(control.resume, options.out, (text) => reporter.note(text));
  await using folder = await openModelFolder(options.model);
  const found = await findTokenizer(options.model);
  const prepared = await prepare(options, folder, found, reporter);
  const { dataset, maxLength } = prepared;
  // A run that is repeated or resumed on another day writes the date that this one wrote.
  const chatDate = options.chatDate ?? prepared.recipe.chat?.clock;
  checkStopping(options, dataset);
  const held = dataset.eval?.examples ?? [];
  checkExamples(options, { train: dataset.train.examples, eval: held });
  const adapterFiles = options.adapter === undefined ? {} : await hashAdapter(options.adapter);
  const referenceFiles = options.reference === undefined ? {} : await hashReference(options.reference);
  const baseFiles = { ...(await hashModel(folder)), ...adapterFiles, ...referenceFiles };
  const identity = identify(options, prepared, baseFiles);
  if (from !== undefined) checkResumable(from, identity, dataset.train.examples.length, options);
  stopIfAsked(control.signal, from);
  if (options.featureCache !== undefined) await prepareCacheFolder(options.featureCache);
  await createOut(options.out);
  const device = typeof gpu === "function" ? await gpu() : gpu;
  checkPrecision(device, options);
  const run = await describeRun(
    { ...options, maxLength, chatDate },
    { baseFiles, dataset, adapter: device.facts.description, variants: device.variants.inUse },
  );
  await writeRunFile(options.out, run);
  reporter.started?.(run);
  return await trainOnDevice({
    gpu: device,
    folder,
    tokenizer: found.tokenizer,
    prepared,
    options: fitToPairs(dataset.train.examples.length, options),
    identity: { ...identity, ...machineOf(device) },
    from,
    run,
    report:
      options.report && dataset.train.kind === "pairs"
        ? reportWriter(run, prepared, options, reporter)
        : undefined,
    signal: control.signal,
    reporter,
  });
}

/** A caller opens the device; its class must be the one that run.json will name. */
function checkPrecision({ precision }: Gpu, options: TrainOptions): void {
  if (precision === options.precision) return;
  throw new InputError(
    `precision is ${options.precision}, but the device was opened for ${precision}: open it with openGpu({ precision: "${options.precision}" })`,
  );
}

function reportWriter(
  run: RunFile,
  { dataset, findings, recipe }: Prepared<ExampleKind>,
  options: TrainOptions,
  reporter: TrainReporter,
): ReportWriter {
  const { out, groupBy } = options;
  const { totalSteps } = planSteps(dataset.train.examples.length, options);
  const heldOut = pairsOf(dataset.eval);
  return new ReportWriter({
    out,
    run,
    objective: pairObjective(options),
    recipe,
    findings,
    heldOut,
    groupBy,
    totalSteps,
    note: (text) => reporter.note(text),
  });
}

async function trainOnDevice(session: Session): Promise<TrainResult> {
  const { gpu, options, from, report, reporter } = session;
  const { dataset, findings } = session.prepared;
  gpu.resetPeak();
  if (from !== undefined) reportResumed(from, session.identity, reporter);
  const learn = options.trainable === "head" ? trainHead : trainModel;
  const { trained, models, ...cost } = await learn(session);
  const { best, last } = models;
  const { counts, cached, featureSeconds, trainSeconds, predictedBytes, peakBytes } = cost;
  const rewards = best.evaluation && rewardsOf(best);
  const spent = { tokens: counts, featureSeconds, trainSeconds, peakBytes, predictedBytes };
  await report?.finished(best.step, trained.last.step, rewards, spent);
  return {
    out: options.out,
    model: options.model,
    trainable: options.trainable,
    kind: kindOf(session.run),
    reference: options.reference ?? (options.trainable === "full" ? options.model : undefined),
    report: report?.file,
    dataset,
    findings,
    savedStep: best.step,
    last,
    lastStep: trained.last.step,
    totalSteps: trained.totalSteps,
    resumedStep: from?.saved.progress.step,
    evaluation: best.evaluation,
    rewards: best.rewards,
    others: best.others,
    counts,
    cached,
    featureSeconds,
    trainSeconds,
    peakBytes,
    ...(predictedBytes === undefined ? {} : { predictedBytes }),
  };
}

const rewardsOf = ({ rewards }: KeptModel): PairRewards => ({
  chosen: Float32Array.from(rewards, ({ chosen }) => chosen),
  rejected: Float32Array.from(rewards, ({ rejected }) => rejected),
});
