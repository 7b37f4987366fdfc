/**
 * @file What a training run is told, and the defaults. A lone head on cached features takes many epochs, which cost
 * nearly nothing (TRL's lr 1e-4 for one epoch leaves it where it began); adapters and whole models take one.
 */

import type { BosRule } from "../data/bos.ts";
import type { Columns } from "../data/sources/columns.ts";
import type { Overlong } from "../data/tokenise.ts";
import type { Precision } from "../gpu/precision.ts";
import { defaultMaxShardSize } from "../model/safetensors/index.ts";
import { defaultReward, type ObjectiveName, objectiveNames } from "./objectives.ts";
import type { ImplicitFormName } from "./rewards/implicit-form.ts";
import type { RewardName } from "./rewards/reward.ts";
import { defaultBatchTokens } from "./run-batches.ts";
import type { ScheduleName } from "./schedule.ts";

/** keep: the checkpoint's own head where it has one, else `normal`. normal: N(0, 1/(H+1)) from the seed. */
export const headInits = ["keep", "normal", "zeros"] as const;
export type HeadInit = (typeof headInits)[number];

/** Which weights learn; the others are frozen. head: the reward head; lora: low-rank updates and the head; full: all. */
export const trainables = ["head", "lora", "full"] as const;
export type Trainable = (typeof trainables)[number];

export interface TrainOptions {
  /** Folder of the base model. */
  readonly model: string;
  /** Preference records (JSON Lines, a JSON list, CSV, TSV, Parquet): files, patterns, or "-" for standard input. */
  readonly data: string | readonly string[];
  /** Folder for the trained model; must not hold one yet. */
  readonly out: string;
  readonly evalData?: string | readonly string[] | undefined;
  /** Our fields' names to those that the records have for them; "" leaves a field out. */
  readonly columns?: Columns | undefined;
  /** Leave out and count rows that can't be used, where the first would stop the run. */
  readonly skipBadLines?: boolean | undefined;
  /** Share of the records to hold out; 0: no evaluation. Undefined: the records' own `split` field, else 0.1. */
  readonly evalSplit?: number | undefined;
  readonly trainable: Trainable;
  /** Folder of low-rank updates to go on from, with `trainable` lora. Default: new ones. */
  readonly adapter?: string | undefined;
  /** Rank of the updates. Default: 16, or the adapter's. */
  readonly loraR?: number | undefined;
  /** The updates are scaled by alpha / r. Default: 32, or the adapter's. */
  readonly loraAlpha?: number | undefined;
  /** Share of an update's inputs that are dropped. Default: 0, or the adapter's. */
  readonly loraDropout?: number | undefined;
  /** Which linears get updates, by PEFT's names. Default: all, or the adapter's. */
  readonly loraTargets?: string | readonly string[] | undefined;
  readonly objective: ObjectiveName;
  /** How weights make rewards; default: the objective's own (see objectives.ts). */
  readonly reward?: RewardName | undefined;
  /** Form of the implicit reward; default: the objective's own. */
  readonly form?: ImplicitFormName | undefined;
  /** A loss by its name or another system's name for it; default: the objective's own. */
  readonly loss?: string | undefined;
  /** β of the implicit reward, and of losses with a scale of their own. Default: the form's; 1 without one. */
  readonly beta?: number | undefined;
  /** Folder of the implicit reward's reference. Default: the base itself. */
  readonly reference?: string | undefined;
  /** γ, by which implicit rewards of chosen replies are to be ahead. Default: the form's. */
  readonly gamma?: number | undefined;
  /** α of α NLL(y_w) beside an implicit reward's loss. Default: the form's. */
  readonly nllWeight?: number | undefined;
  /** ε: the share of labels that are wrong. Default: 0; 0.001 for exo. */
  readonly labelSmoothing?: number | undefined;
  /** DiscoPOP's τ. Default: 0.05. */
  readonly discopopTau?: number | undefined;
  /** KTO's λ_D and λ_U. Default: 1. */
  readonly desirableWeight?: number | undefined;
  readonly undesirableWeight?: number | undefined;
  /** CRINGE's α, the penalty's weight. Default: 1. */
  readonly cringeWeight?: number | undefined;
  /** CRINGE's b, in nats: how far ahead a chosen reply is before its pair stops to count. Default: 0. */
  readonly cringeMargin?: number | undefined;
  /** CRINGE's τ, above 0: how softly it stops. Default: 1. */
  readonly cringeTemperature?: number | undefined;
  /** From how many of the likeliest words CRINGE draws the one that takes a penalised token's place. Default: 5. */
  readonly cringeK?: number | undefined;
  readonly epochs: number;
  readonly maxSteps?: number | undefined;
  /** Pairs of a batch. A head computes them at once, a whole model so many as fit `batchTokens` and the memory. */
  readonly batchSize: number;
  /** Batches whose gradients add up to one step's. */
  readonly gradientAccumulationSteps: number;
  readonly lr: number;
  /** Of the reward head, where more than the head learns. Default: lr. */
  readonly headLr?: number | undefined;
  readonly weightDecay: number;
  readonly warmupRatio: number;
  /** Overrides warmupRatio. */
  readonly warmupSteps?: number | undefined;
  readonly schedule: ScheduleName;
  /** Tokens; default min(1024, the model's positions). */
  readonly maxLength?: number | undefined;
  readonly overlong: Overlong;
  /** End plain texts in EOS. */
  readonly eos: boolean;
  /** End rendered conversations in EOS too, after what their template writes. */
  readonly eosAfterChat: boolean;
  readonly bos: BosRule;
  /** A Jinja file, or a model folder whose template is taken; default: the base's own. */
  readonly chatTemplate?: string | undefined;
  /** Of one among several templates of a folder. */
  readonly chatTemplateName?: string | undefined;
  /** The date that a template's strftime_now writes, "YYYY-MM-DD" or with "THH:MM:SS"; default: now. */
  readonly chatDate?: string | undefined;
  /** Stop before any work on findings that are more than notes. */
  readonly strict: boolean;
  /** c of c * mean((r_w + r_l)^2); Eisenstein et al. 2023, arXiv 2312.09244, eq. 2. */
  readonly centerRewardsCoefficient: number;
  /** 0 is off. */
  readonly maxGradNorm: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Steps between two lines of metrics. */
  readonly logEvery: number;
  /** Steps between two evaluations. Undefined: an epoch's. */
  readonly evalSteps?: number | undefined;
  /** Evaluations in a row that are no better than the best before them, after which training stops. Undefined: never. */
  readonly earlyStoppingPatience?: number | undefined;
  /** Steps between two saved training states. Undefined: an epoch's. */
  readonly saveEvery?: number | undefined;
  /** Training states that are kept: the newest ones. */
  readonly saveTotalLimit: number;
  readonly initHead: HeadInit;
  /** Whether layers are computed again for their gradients instead of being kept: less memory, a third more work. */
  readonly gradientCheckpointing: boolean;
  /** The class that products of linear layers are of; the device is opened for it. */
  readonly precision: Precision;
  /** Most tokens that the backbone computes at once. */
  readonly batchTokens: number;
  /** Field of the records by which the closing evaluation is broken down. */
  readonly groupBy: string;
  /** Bytes of tensors in one file of the saved model. */
  readonly maxShardSize: number;
  /** Folder in which features stay from run to run; undefined: they are computed anew. */
  readonly featureCache?: string | undefined;
  /** Bytes that the files in `featureCache` may have together. */
  readonly cacheLimit: number;
  /** Whether report.html is written. */
  readonly report: boolean;
}

export const trainDefaults = {
  trainable: "head",
  objective: "bt",
  epochs: 20,
  batchSize: 32,
  gradientAccumulationSteps: 1,
  lr: 1e-2,
  weightDecay: 0,
  warmupRatio: 0.05,
  schedule: "cosine",
  overlong: "drop",
  eos: true,
  eosAfterChat: false,
  bos: "auto",
  strict: false,
  centerRewardsCoefficient: 0,
  maxGradNorm: 1,
  seed: 0,
  shuffle: true,
  logEvery: 10,
  saveTotalLimit: 2,
  initHead: "keep",
  gradientCheckpointing: false,
  precision: "f32",
  batchTokens: defaultBatchTokens,
  groupBy: "kind",
  maxShardSize: defaultMaxShardSize,
  cacheLimit: 4 * 2 ** 30,
  report: true,
} as const satisfies Partial<TrainOptions>;

/** Defaults that follow what learns. */
export const trainableDefaults = {
  head: { epochs: trainDefaults.epochs, lr: trainDefaults.lr },
  lora: { epochs: 1, lr: 1e-4 },
  full: { epochs: 1, lr: 1e-5 },
} as const satisfies Readonly<Record<Trainable, Partial<TrainOptions>>>;

/** Rates of implicit rewards, whose gradient reaches every token of a reply. */
export const implicitRates = { lora: 1e-5, full: 1e-6 } as const;

/** What was given, and the defaults for the rest. */
export function withDefaults(given: TrainArguments): TrainOptions {
  const { trainable = trainDefaults.trainable, objective = trainDefaults.objective } = given;
  const told = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const reward = given.reward ?? (isObjective(objective) ? defaultReward(objective, trainable) : undefined);
  const isImplicit = reward === "implicit" && objective !== "lm" && trainable !== "head";
  return {
    ...given,
    ...trainDefaults,
    ...trainableDefaults[trainable],
    ...(isImplicit ? { lr: implicitRates[trainable] } : {}),
    ...told,
  };
}

/** Values are checked later, and may be anything here. */
const isObjective = (name: string): name is ObjectiveName => objectiveNames.some((known) => known === name);

/** What a run must be told; the rest has defaults. */
export type TrainArguments = Pick<TrainOptions, "model" | "data" | "out"> & Partial<TrainOptions>;

/** Share held out where neither the options nor the records say. */
export const defaultEvalSplit = 0.1;
/** Upper bound of the default --max-length, in tokens. */
export const defaultMaxLength = 1024;
