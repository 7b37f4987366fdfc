/**
 * @file A training run from records to saved models: read and check everything, compute features once, train the head
 * on them from the first step or from a saved state, keep the best and the last, evaluate what is saved.
 */
import type { Finding } from "../data/checks/finding.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { hashModel } from "../model/file-hash.ts";
import { type ModelFolder, openModelFolder } from "../model/model-folder.ts";
import { readHead } from "../model/reward-head.ts";
import { findTokenizer, type Tokenizer } from "../model/tokenizer.ts";
import { checkOptions } from "./check-options.ts";
import { type KeptModel, saveModels } from "./closing.ts";
import type { Dataset, Pair } from "./dataset.ts";
import { prepareCacheFolder } from "./feature-cache/folder.ts";
import { type Features, releaseFeatures } from "./features.ts";
import { initialHead } from "./head-init.ts";
import { type TrainedHead, trainHead } from "./head-loop.ts";
import { HeadTrainer } from "./head-trainer.ts";
import { evalLine } from "./metrics.ts";
import { type TrainArguments, type TrainOptions, trainDefaults } from "./options.ts";
import { createOut } from "./out-folder.ts";
import { fitToPairs, planSteps } from "./plan.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { ReportWriter } from "./report/writer.ts";
import type { TrainReporter } from "./reporter.ts";
import type { TokenCounts } from "./run-batches.ts";
import { pairFeatures } from "./run-features.ts";
import { describeRun, type RunFile, writeRunFile } from "./run-file.ts";
import { checkResumable, checkStopping, reportResumed, stopIfAsked } from "./state/checks.ts";
import { clearBeyond, type FoundState } from "./state/folder.ts";
import { adapterOf, type Identity, identify } from "./state/identity.ts";
import { MetricsLog } from "./state/metrics-log.ts";
import { beginning } from "./state/progress.ts";
import { findState } from "./state/resume.ts";
import { stateSaver } from "./state/saver.ts";

export interface TrainResult extends Pick<KeptModel, "evaluation" | "rewards"> {
  /** Folder of the model with the best evaluation accuracy (then loss, then the earlier); `evaluation` is its own. */
  readonly out: string;
  /** The page with its report; undefined where none was asked for. */
  readonly report: string | undefined;
  readonly dataset: Dataset;
  readonly findings: readonly Finding[];
  /** The step whose head that is; the last one where there is no evaluation. */
  readonly savedStep: number;
  /** The last step's model, where that is not the best. */
  readonly last: KeptModel | undefined;
  /** The last step that was done: below `totalSteps` where training stopped early. */
  readonly lastStep: number;
  readonly totalSteps: number;
  /** The step from which the run went on; undefined: it began at the first. */
  readonly resumedStep: number | undefined;
  /** Of the backbone's pass: all zeros where the cache had everything. */
  readonly counts: TokenCounts;
  /** Sequences whose features came from the cache. */
  readonly cached: number;
  readonly featureSeconds: number;
  readonly trainSeconds: number;
  /** Largest number of bytes on the device at once. */
  readonly peakBytes: number;
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
  const options: TrainOptions = { ...trainDefaults, ...given };
  checkOptions(options);
  const from = await findState(control.resume, options.out, (text) => reporter.note(text));
  await using folder = await openModelFolder(options.model);
  const found = await findTokenizer(options.model);
  const prepared = await prepare(options, folder, found, reporter);
  const { dataset, maxLength } = prepared;
  // A run that is repeated or resumed on another day writes the date that this one wrote.
  const chatDate = options.chatDate ?? prepared.recipe.chat?.clock;
  checkStopping(options, dataset);
  const baseFiles = await hashModel(folder);
  const identity = identify(options, prepared, baseFiles);
  if (from !== undefined) checkResumable(from, identity, dataset.train.pairs.length, options);
  stopIfAsked(control.signal, from);
  if (options.featureCache !== undefined) await prepareCacheFolder(options.featureCache);
  await createOut(options.out);
  const device = typeof gpu === "function" ? await gpu() : gpu;
  const run = await describeRun(
    { ...options, maxLength, chatDate },
    { baseFiles, dataset, adapter: device.facts.description },
  );
  await writeRunFile(options.out, run);
  reporter.started?.(run);
  const session: Session = {
    folder,
    tokenizer: found.tokenizer,
    prepared,
    options: fitToPairs(dataset.train.pairs.length, options),
    identity: { ...identity, adapter: adapterOf(device.facts) },
    from,
    run,
    report: options.report ? reportWriter(run, prepared, options, reporter) : undefined,
    control,
    reporter,
  };
  return await trainOnDevice(device, session);
}

/** A run whose input has been found good. */
interface Session {
  readonly folder: ModelFolder;
  readonly tokenizer: Tokenizer | undefined;
  readonly prepared: Prepared;
  readonly options: TrainOptions;
  readonly identity: Identity;
  readonly from: FoundState | undefined;
  readonly run: RunFile;
  readonly report: ReportWriter | undefined;
  readonly control: TrainControl;
  readonly reporter: TrainReporter;
}

function reportWriter(
  run: RunFile,
  { dataset, findings, recipe }: Prepared,
  options: TrainOptions,
  reporter: TrainReporter,
): ReportWriter {
  const { out, groupBy } = options;
  const { totalSteps } = planSteps(dataset.train.pairs.length, options);
  const heldOut = dataset.eval?.pairs ?? [];
  return new ReportWriter({
    out,
    run,
    recipe,
    findings,
    heldOut,
    groupBy,
    totalSteps,
    note: (text) => reporter.note(text),
  });
}

async function trainOnDevice(gpu: Gpu, session: Session): Promise<TrainResult> {
  const { folder, tokenizer, options, from, run, report, control, reporter } = session;
  const { dataset, findings, recipe, chatTemplate } = session.prepared;
  gpu.resetPeak();
  if (from !== undefined) reportResumed(from, session.identity, reporter);
  const began = performance.now();
  const all = [...dataset.train.pairs, ...(dataset.eval?.pairs ?? [])];
  const features = await pairFeatures(gpu, folder, all, recipe, options, reporter, () =>
    stopIfAsked(control.signal, from),
  );
  const featureSeconds = (performance.now() - began) / 1e3;
  try {
    const trained = await trainOnFeatures(gpu, features, session);
    const trainSeconds = (performance.now() - began) / 1e3 - featureSeconds;
    const common = { recipe, tokenizer, chatTemplate, lastIds: lastIds(all) };
    const { best, last } = await saveModels(folder, trained, session.prepared, options, common, run);
    await report?.finished(best.step, trained.last.step, trained.best.rewards, {
      tokens: features.counts,
      featureSeconds,
      trainSeconds,
      peakBytes: gpu.memory.peak,
    });
    return {
      out: options.out,
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
      counts: features.counts,
      cached: features.cached,
      featureSeconds,
      trainSeconds,
      peakBytes: gpu.memory.peak,
    };
  } finally {
    releaseFeatures(gpu, features);
  }
}

/** The head's training, from the first step or the saved state; what lies beyond that in the folder goes away. */
async function trainOnFeatures(gpu: Gpu, features: Features, session: Session): Promise<TrainedHead> {
  const { folder, options, identity, from, report, control, reporter } = session;
  const { dataset } = session.prepared;
  const { out, initHead, seed } = options;
  const progress = from?.saved.progress ?? beginning;
  await clearBeyond(out, from === undefined ? -1 : progress.step);
  const log = await MetricsLog.open(out, from?.saved.metricsBytes ?? 0, (text) => reporter.note(text));
  const head = initialHead(initHead, await readHead(folder), folder.config.hiddenSize, seed);
  using trainer = new HeadTrainer(gpu, features.table, head, options);
  if (from !== undefined) trainer.load(from.saved.state, progress.step);
  const pairs = dataset.train.pairs.length;
  const plan = planSteps(pairs, options);
  const save = stateSaver(options, plan, pairs, identity, log);
  reporter.begin?.("training", plan.totalSteps, progress.step, progress.tokens);
  return await trainHead(trainer, {
    train: dataset.train.pairs,
    trainRows: features.rows.slice(0, pairs),
    eval: dataset.eval?.pairs ?? [],
    evalRows: features.rows.slice(pairs),
    options,
    from: progress,
    checkpoint: from?.folder,
    signal: control.signal,
    onTrain: async (line, total) => {
      reporter.trained?.(line, total);
      await log.append(line);
      await report?.trained(line.step);
    },
    onEval: async (step, epoch, metrics, rewards) => {
      const line = evalLine(step, epoch, metrics);
      reporter.evaluated?.(line);
      await log.append(line);
      await report?.evaluated(step, rewards);
    },
    onSave: async (state, at) => {
      const saved = await save(state, at);
      reporter.saved?.(at.step, saved);
      return saved;
    },
  }).catch(async (error: Error) => {
    await report?.stopped(error.message);
    throw error;
  });
}

function lastIds(pairs: readonly Pair[]): Set<number> {
  return new Set(pairs.flatMap(({ item }) => item.sequences.flatMap((ids) => ids.at(-1) ?? [])));
}
