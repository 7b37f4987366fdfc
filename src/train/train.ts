/**
 * @file A training run from records to a saved checkpoint: read and check everything, compute features once, train
 * the head on them, keep the best, evaluate what is saved.
 */
import { join } from "node:path";
import type { PreferenceRecord } from "../data/preference.ts";
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { loadBackbone } from "../model/load.ts";
import { type ModelFolder, openModelFolder } from "../model/model-folder.ts";
import { type InputRecipe, readIndex } from "../model/recipe.ts";
import { readHead } from "../model/reward-head.ts";
import { saveRewardModel } from "../model/save.ts";
import { findTokenizer, type Tokenizer } from "../model/tokenizer.ts";
import { type Dataset, loadDataset, type Pair } from "./dataset.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { computeFeatures, type Features, releaseFeatures } from "./features.ts";
import { initialHead } from "./head-init.ts";
import { trainHead } from "./head-loop.ts";
import { HeadTrainer } from "./head-trainer.ts";
import { appendLine, evalLine } from "./metrics.ts";
import { reportDataset, reportUnused } from "./notes.ts";
import {
  checkOptions,
  defaultMaxLength,
  type TrainArguments,
  type TrainOptions,
  trainDefaults,
} from "./options.ts";
import { checkOut, createOut } from "./out-folder.ts";
import { fitToPairs, planSteps } from "./plan.ts";
import type { TrainReporter } from "./reporter.ts";
import type { TokenCounts } from "./run-batches.ts";

export interface TrainResult {
  readonly out: string;
  readonly dataset: Dataset;
  /** The step whose head was saved; the last one where there is no evaluation. */
  readonly savedStep: number;
  readonly totalSteps: number;
  /** Of the saved head on the held-out pairs; undefined where there are none. */
  readonly evaluation: Evaluation | undefined;
  /** Held-out pairs with their rewards, in order. */
  readonly rewards: readonly {
    readonly record: PreferenceRecord;
    readonly chosen: number;
    readonly rejected: number;
  }[];
  readonly counts: TokenCounts;
  readonly featureSeconds: number;
  readonly trainSeconds: number;
  /** Largest number of bytes on the device at once. */
  readonly peakBytes: number;
}

/**
 * Trains a reward model on preference pairs and writes it to `options.out`.
 * @param gpu the device, or how to open it: it is opened only when the input has been found good
 * @throws InputError for bad input, before any work on the device; nothing is written then
 */
export async function train(
  gpu: Gpu | (() => Promise<Gpu>),
  given: TrainArguments,
  reporter: TrainReporter = { note() {} },
): Promise<TrainResult> {
  const options: TrainOptions = { ...trainDefaults, ...given };
  checkOptions(options);
  await checkOut(options.out);
  await using folder = await openModelFolder(options.model);
  const { tokenizer, missing } = await findTokenizer(options.model);
  const recipe = trainingRecipe(folder, tokenizer, options.eos);
  const maxLength = checkedMaxLength(folder, options.maxLength);
  const dataset = await loadDataset(options, {
    encoder: tokenizer,
    missing,
    recipe,
    vocabSize: folder.config.vocabSize,
    maxLength,
    overlong: options.overlong,
  });
  reportDataset(dataset, maxLength, reporter);
  await createOut(options.out);
  const device = typeof gpu === "function" ? await gpu() : gpu;
  const fitted = fitToPairs(dataset.train.pairs.length, options);
  return await trainOnDevice(device, folder, tokenizer, recipe, dataset, fitted, reporter);
}

async function trainOnDevice(
  gpu: Gpu,
  folder: ModelFolder,
  tokenizer: Tokenizer | undefined,
  recipe: InputRecipe,
  dataset: Dataset,
  options: TrainOptions,
  reporter: TrainReporter,
): Promise<TrainResult> {
  gpu.resetPeak();
  const { config } = folder;
  const began = performance.now();
  const all = [...dataset.train.pairs, ...(dataset.eval?.pairs ?? [])];
  const features = await runBackbone(gpu, folder, all, recipe, options, reporter);
  const featureSeconds = (performance.now() - began) / 1e3;
  try {
    const head = initialHead(options.initHead, await readHead(folder), config.hiddenSize, options.seed);
    using trainer = new HeadTrainer(gpu, features.table, head, options);
    const metricsFile = join(options.out, "metrics.jsonl");
    const trainCount = dataset.train.pairs.length;
    reporter.begin?.("training", planSteps(trainCount, options).totalSteps);
    const best = await trainHead(trainer, {
      train: dataset.train.pairs,
      trainRows: features.rows.slice(0, trainCount),
      eval: dataset.eval?.pairs ?? [],
      evalRows: features.rows.slice(trainCount),
      options,
      onTrain: async (line, total) => {
        reporter.trained?.(line, total);
        await appendLine(metricsFile, line);
      },
      onEval: async (step, epoch, metrics) => {
        const line = evalLine(step, epoch, metrics);
        reporter.evaluated?.(line);
        await appendLine(metricsFile, line);
      },
    });
    const trainSeconds = (performance.now() - began) / 1e3 - featureSeconds;
    await saveRewardModel(options.out, folder, {
      weight: best.head,
      recipe,
      tokenizer,
      lastIds: lastIds(all),
    });
    const { rewards, evaluation } = closingEvaluation(dataset, best.evalRewards, options);
    return {
      out: options.out,
      dataset,
      savedStep: best.step,
      totalSteps: best.totalSteps,
      evaluation,
      rewards,
      counts: features.counts,
      featureSeconds,
      trainSeconds,
      peakBytes: gpu.memory.peak,
    };
  } finally {
    releaseFeatures(gpu, features);
  }
}

/** Texts end in the tokenizer's EOS unless --no-eos; the reward is read at the last token. */
function trainingRecipe(
  { config, dir }: ModelFolder,
  tokenizer: Tokenizer | undefined,
  eos: boolean,
): InputRecipe {
  const eosTokenId = tokenizer?.eosTokenId ?? config.eosTokenId?.[0];
  const known = eosTokenId === undefined ? {} : { eosTokenId };
  if (!eos || tokenizer === undefined) return { addEos: false, ...known, readPosition: "last" };
  if (eosTokenId === undefined || eosTokenId >= config.vocabSize) {
    throw new InputError(
      `${dir}: the tokenizer names no end-of-sequence token that the model knows; train with --no-eos`,
    );
  }
  return { addEos: true, eosTokenId, readPosition: "last" };
}

function checkedMaxLength({ config, dir }: ModelFolder, wanted: number | undefined): number {
  if (wanted === undefined) return Math.min(defaultMaxLength, config.maxPositions);
  if (config.learnedPositions && wanted > config.maxPositions) {
    throw new InputError(
      `--max-length ${wanted}: ${dir} has learned positions for ${config.maxPositions} tokens`,
    );
  }
  return wanted;
}

function lastIds(pairs: readonly Pair[]): Set<number> {
  return new Set(pairs.flatMap(({ item }) => item.sequences.flatMap((ids) => ids.at(-1) ?? [])));
}

async function runBackbone(
  gpu: Gpu,
  folder: ModelFolder,
  pairs: readonly Pair[],
  recipe: InputRecipe,
  options: TrainOptions,
  reporter: TrainReporter,
): Promise<Features> {
  const { backbone, unused } = await loadBackbone(gpu, folder);
  reportUnused(unused, reporter);
  reporter.begin?.("features", pairs.length);
  try {
    return await computeFeatures(
      backbone,
      pairs.map((p) => p.item),
      (ids) => readIndex(ids, recipe, folder.config.padTokenId),
      {
        batchTokens: options.batchTokens,
        onProgress: (done, { computed }) => reporter.features?.(done, pairs.length, computed),
      },
    );
  } finally {
    backbone.release();
  }
}

function closingEvaluation(dataset: Dataset, rewards: Float32Array | undefined, options: TrainOptions) {
  const pairs = dataset.eval?.pairs ?? [];
  if (rewards === undefined || pairs.length === 0) return { evaluation: undefined, rewards: [] };
  const chosen = rewards.subarray(0, pairs.length);
  const rejected = rewards.subarray(pairs.length);
  return {
    evaluation: evaluate(pairs, { chosen, rejected }, options.centerRewardsCoefficient, options.groupBy),
    rewards: pairs.map((p, i) => ({ record: p.record, chosen: chosen[i]!, rejected: rejected[i]! })),
  };
}
