/** @file A run whose input has been found good, and the loop's part that is the same whatever learns. */
import type { ExampleKind } from "../data/example-kind.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { KeptModels } from "./closing.ts";
import { evalLine } from "./metrics.ts";
import type { TrainOptions } from "./options.ts";
import { planSteps } from "./plan.ts";
import type { Prepared } from "./prepare.ts";
import type { ReportWriter } from "./report/writer.ts";
import type { TrainReporter } from "./reporter.ts";
import type { TokenCounts } from "./run-batches.ts";
import type { RunFile } from "./run-file.ts";
import { readState } from "./state/checkpoint.ts";
import { clearBeyond, type FoundState } from "./state/folder.ts";
import type { Identity } from "./state/identity.ts";
import { MetricsLog } from "./state/metrics-log.ts";
import { beginning } from "./state/progress.ts";
import { stateSaver } from "./state/saver.ts";
import { type Trained, trainLoop } from "./train-loop.ts";
import type { Trainer } from "./trainer.ts";

export interface Session {
  readonly gpu: Gpu;
  readonly folder: ModelFolder;
  readonly tokenizer: Tokenizer | undefined;
  readonly prepared: Prepared<ExampleKind>;
  readonly options: TrainOptions;
  readonly identity: Identity;
  readonly from: FoundState | undefined;
  readonly run: RunFile;
  readonly report: ReportWriter | undefined;
  /** Aborted: the step is finished, its state saved, and the run rejected with TrainingInterrupted. */
  readonly signal: AbortSignal | undefined;
  readonly reporter: TrainReporter;
}

/** What a way of training hands back when the models are saved. */
export interface Outcome {
  readonly trained: Trained;
  readonly models: KeptModels;
  /** Of the backbone: in its pass for features, else in this process's steps. */
  readonly counts: TokenCounts;
  /** Sequences whose features came from the cache. */
  readonly cached: number;
  readonly featureSeconds: number;
  readonly trainSeconds: number;
  /** Bytes on the device at the highest, as foretold before the first step; undefined where nothing was foretold. */
  readonly predictedBytes?: number;
  /** The same, measured. */
  readonly peakBytes: number;
}

/** From the first step or the saved state to the last; what lies beyond that state in the folder goes away. */
export async function runSteps(trainer: Trainer, session: Session): Promise<Trained> {
  const { options, identity, from, report, signal, reporter } = session;
  const { out } = options;
  const train = session.prepared.dataset.train.examples;
  const progress = from?.saved.progress ?? beginning;
  await clearBeyond(out, from === undefined ? -1 : progress.step);
  const log = await MetricsLog.open(out, from?.saved.metricsBytes ?? 0, (text) => reporter.note(text));
  if (from !== undefined) trainer.load(from.saved.state, progress.step);
  const plan = planSteps(train.length, options);
  const save = stateSaver(options, plan, train.length, identity, log);
  reporter.begin?.("training", plan.totalSteps, progress.step, progress.tokens);
  return await trainLoop(trainer, {
    train,
    options,
    from: progress,
    checkpoint: from?.folder,
    signal,
    onTrain: async (line, total) => {
      reporter.trained?.(line, total);
      await log.append(line);
      await report?.trained(line.step);
    },
    onEval: async (step, epoch, { metrics, rewards }) => {
      const line = evalLine(step, epoch, metrics);
      reporter.evaluated?.(line);
      await log.append(line);
      if (rewards !== undefined) await report?.evaluated(step, rewards);
    },
    onSave: async (state, at) => {
      const saved = await save(state, at);
      reporter.saved?.(at.step, saved);
      return saved;
    },
    reload: async (dir) => (await readState(dir)).state,
  }).catch(async (error: Error) => {
    await report?.stopped(error.message);
    throw error;
  });
}
