/**
 * @file What a training run is told, and the defaults. Defaults are for a lone head on cached features, where epochs
 * cost nearly nothing; TRL's lr 1e-4 for one epoch leaves such a head where it began.
 */

import type { Overlong } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import { defaultBatchTokens } from "./run-batches.ts";
import type { ScheduleName } from "./schedule.ts";

/** keep: the checkpoint's own head where it has one, else `normal`. normal: N(0, 1/(H+1)) from the seed. */
export type HeadInit = "keep" | "normal" | "zeros";

export interface TrainOptions {
  /** Folder of the base model. */
  readonly model: string;
  /** Preference records, JSON Lines. */
  readonly data: string;
  /** Folder for the trained model; must not hold one yet. */
  readonly out: string;
  readonly evalData?: string | undefined;
  /** Share of the records to hold out; 0: no evaluation. Undefined: the records' own `split` field, else 0.1. */
  readonly evalSplit?: number | undefined;
  readonly epochs: number;
  readonly maxSteps?: number | undefined;
  /** Pairs per step. */
  readonly batchSize: number;
  readonly lr: number;
  readonly weightDecay: number;
  readonly warmupRatio: number;
  /** Overrides warmupRatio. */
  readonly warmupSteps?: number | undefined;
  readonly schedule: ScheduleName;
  /** Tokens; default min(1024, the model's positions). */
  readonly maxLength?: number | undefined;
  readonly overlong: Overlong;
  readonly eos: boolean;
  /** c of c * mean((r_w + r_l)^2); Eisenstein et al. 2023, arXiv 2312.09244, eq. 2. */
  readonly centerRewardsCoefficient: number;
  /** 0 is off. */
  readonly maxGradNorm: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Steps between two lines of metrics. */
  readonly logEvery: number;
  readonly initHead: HeadInit;
  /** Tokens that the backbone computes at once. */
  readonly batchTokens: number;
  /** Field of the records by which the closing evaluation is broken down. */
  readonly groupBy: string;
}

export const trainDefaults = {
  epochs: 20,
  batchSize: 32,
  lr: 1e-2,
  weightDecay: 0,
  warmupRatio: 0.05,
  schedule: "cosine",
  overlong: "drop",
  eos: true,
  centerRewardsCoefficient: 0,
  maxGradNorm: 1,
  seed: 0,
  shuffle: true,
  logEvery: 10,
  initHead: "keep",
  batchTokens: defaultBatchTokens,
  groupBy: "kind",
} as const satisfies Partial<TrainOptions>;

/** What a run must be told; the rest has defaults. */
export type TrainArguments = Pick<TrainOptions, "model" | "data" | "out"> & Partial<TrainOptions>;

/** Share held out where neither the options nor the records say. */
export const defaultEvalSplit = 0.1;
/** Upper bound of the default --max-length, in tokens. */
export const defaultMaxLength = 1024;

const counts = ["maxSteps", "batchSize", "maxLength", "logEvery", "batchTokens"] as const;
const amounts = [
  "epochs",
  "lr",
  "weightDecay",
  "warmupRatio",
  "warmupSteps",
  "centerRewardsCoefficient",
  "maxGradNorm",
] as const;

/** What the types leave open; the command line has checked it already. @throws InputError naming the option */
export function checkOptions(options: TrainOptions): void {
  for (const name of counts) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      throw new InputError(`${name} is a whole number above 0, not ${value}`);
  }
  for (const name of amounts) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new InputError(`${name} is a number of at least 0, not ${value}`);
  }
  if (!Number.isSafeInteger(options.seed) || options.seed < 0)
    throw new InputError(`seed is a whole number of at least 0, not ${options.seed}`);
}
