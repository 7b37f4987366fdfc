/** @file What each option's value may be: one table for library calls, `--config` files and run.json. */
import { bosRules } from "../data/bos.ts";
import { isObject } from "../data/sources/json-text.ts";
import { overlongs } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import { precisions } from "../gpu/precision.ts";
import { mostTopWords } from "../kernels/cringe.ts";
import { isDate } from "../model/chat/date.ts";
import { flagOf } from "./flag.ts";
import { findLoss } from "./losses/table.ts";
import { findObjective, objectiveNames } from "./objectives.ts";
import { headInits, type Trainable, type TrainOptions, trainables } from "./options.ts";
import { implicitFormNames } from "./rewards/implicit-form.ts";
import { rewardNames } from "./rewards/reward.ts";
import { schedules } from "./schedule.ts";

interface Kind {
  /** What the value must be, as a message ends: "lr is a number of at least 0, not -1". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const text: Kind = { expected: "a text", accepts: isText };
const texts: Kind = {
  expected: "a text or a list of texts",
  accepts: (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
};
const flag: Kind = { expected: "true or false", accepts: (value) => typeof value === "boolean" };
const count: Kind = { expected: "a whole number above 0", accepts: (value) => isWhole(value) && value >= 1 };
const whole: Kind = {
  expected: "a whole number of at least 0",
  accepts: (value) => isWhole(value) && value >= 0,
};
const amount: Kind = {
  expected: "a number of at least 0",
  accepts: (value) => isNumber(value) && value >= 0,
};
const positive: Kind = { expected: "a number above 0", accepts: (value) => isNumber(value) && value > 0 };
const share: Kind = {
  expected: "a share from 0 up to 1",
  accepts: (value) => isNumber(value) && value >= 0 && value < 1,
};
const oneOf = (choices: readonly string[]): Kind => ({
  expected: `one of ${choices.join(", ")}`,
  accepts: (value) => isText(value) && choices.includes(value),
});

const kinds: Readonly<Record<keyof TrainOptions, Kind>> = {
  model: text,
  data: texts,
  out: text,
  evalData: texts,
  columns: {
    expected: 'the records\' names by our fields, such as {"chosen": "best"}',
    accepts: (value) => isObject(value) && Object.values(value).every((name) => typeof name === "string"),
  },
  skipBadLines: flag,
  evalSplit: share,
  trainable: oneOf(trainables),
  adapter: text,
  loraR: count,
  loraAlpha: positive,
  loraDropout: share,
  loraTargets: texts,
  objective: oneOf(objectiveNames),
  reward: oneOf(rewardNames),
  form: oneOf(implicitFormNames),
  loss: {
    expected: "one of the losses that `rmtrain objectives` lists",
    accepts: (value) => isText(value) && findLoss(value) !== undefined,
  },
  beta: positive,
  reference: text,
  gamma: amount,
  nllWeight: amount,
  labelSmoothing: {
    expected: "a share from 0 up to 1/2",
    accepts: (value) => isNumber(value) && value >= 0 && value < 0.5,
  },
  discopopTau: {
    expected: "a number above 0, at most 1",
    accepts: (value) => isNumber(value) && value > 0 && value <= 1,
  },
  desirableWeight: positive,
  undesirableWeight: positive,
  cringeWeight: amount,
  cringeMargin: { expected: "a number", accepts: isNumber },
  cringeTemperature: positive,
  cringeK: {
    expected: `a whole number from 1 to ${mostTopWords}`,
    accepts: (value) => count.accepts(value) && Number(value) <= mostTopWords,
  },
  epochs: amount,
  maxSteps: count,
  batchSize: count,
  gradientAccumulationSteps: count,
  lr: amount,
  headLr: amount,
  weightDecay: amount,
  warmupRatio: amount,
  warmupSteps: whole,
  schedule: oneOf(schedules),
  maxLength: count,
  overlong: oneOf(overlongs),
  eos: flag,
  eosAfterChat: flag,
  bos: oneOf(bosRules),
  chatTemplate: text,
  chatTemplateName: text,
  chatDate: { expected: "a date, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS", accepts: isDate },
  strict: flag,
  centerRewardsCoefficient: amount,
  maxGradNorm: amount,
  seed: whole,
  shuffle: flag,
  logEvery: count,
  evalSteps: count,
  earlyStoppingPatience: count,
  saveEvery: count,
  saveTotalLimit: count,
  initHead: oneOf(headInits),
  gradientCheckpointing: flag,
  precision: oneOf(precisions),
  batchTokens: count,
  groupBy: text,
  maxShardSize: count,
  featureCache: text,
  cacheLimit: count,
  report: flag,
};

export const optionNames: readonly string[] = Object.keys(kinds);

/**
 * @param value undefined: the option isn't given, which is always right here
 * @param said how a message calls the option
 * @throws InputError naming the option and what it may be
 */
export function checkOption(name: string, value: unknown, said: string = name): void {
  const kind = isOptionName(name) ? kinds[name] : undefined;
  if (kind === undefined) throw new InputError(`${said} is no option of a training run`);
  if (value === undefined || kind.accepts(value)) return;
  const found = typeof value === "object" ? JSON.stringify(value) : String(value);
  throw new InputError(`${said} is ${kind.expected}, not ${found}`);
}

/** Options that mean something for one `trainable` alone. */
const only = {
  lora: ["adapter", "loraR", "loraAlpha", "loraDropout", "loraTargets"],
} as const satisfies Partial<Readonly<Record<Trainable, readonly (keyof TrainOptions)[]>>>;

export function isOptionName(name: string): name is keyof TrainOptions {
  return Object.hasOwn(kinds, name);
}

/** What the types leave open; the command line has checked it already. @throws InputError naming the option */
export function checkOptions(options: TrainOptions): void {
  for (const [name, value] of Object.entries(options)) checkOption(name, value);
  for (const [trainable, names] of Object.entries(only)) {
    const given = names.find((name) => options[name] !== undefined);
    if (given === undefined || options.trainable === trainable) continue;
    throw new InputError(
      `${flagOf(given)} goes with --trainable ${trainable} only, not with --trainable ${options.trainable}`,
    );
  }
  if (options.featureCache !== undefined && options.trainable !== "head" && !readsReference(options))
    throw new InputError(
      `--feature-cache keeps features for --trainable head, and a reference's log-probabilities for --reward implicit; this run has neither`,
    );
  const fixed = (["loraR", "loraAlpha", "loraTargets"] as const).find((name) => options[name] !== undefined);
  if (options.adapter !== undefined && fixed !== undefined)
    throw new InputError(`${flagOf(fixed)} can't be given with --adapter, whose updates are what they are`);
  if (options.trainable === "head" && options.headLr !== undefined)
    throw new InputError(
      "--head-lr is for runs in which more than the head learns; with --trainable head, --lr is the head's",
    );
}

/** Whether log-probabilities of a reference are computed before the first step. */
const readsReference = (options: TrainOptions): boolean => findObjective(options).form?.reference === true;
