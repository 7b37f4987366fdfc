/**
 * @file What a run that goes on must have in common with the run that saved the state: the options that its bits depend
 * on, the rows, the input recipe, the model's files. Adapter and versions may differ, with a warning that bits may too.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { ExampleKind } from "../../data/example-kind.ts";
import { InputError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { serialiseRecipe } from "../../model/stored-recipe.ts";
import type { Example, TrainingSet } from "../example-sets.ts";
import { flagOf } from "../flag.ts";
import { findObjective } from "../objectives.ts";
import { type TrainOptions, trainDefaults } from "../options.ts";
import type { Prepared } from "../prepare.ts";
import { versions } from "../versions.ts";
import type { FoundState } from "./folder.ts";

/**
 * same: another value would give other bits, so that it is refused. rates: may change as long as the steps already done
 * keep their learning rates. contents: the path may change, what it holds not. free: changes no bit of the model.
 */
type Rule = "same" | "rates" | "contents" | "free";

/** A new option needs a rule here. */
const rules: Readonly<Record<keyof TrainOptions, Rule>> = {
  model: "contents",
  data: "contents",
  out: "free",
  evalData: "contents",
  columns: "contents",
  skipBadLines: "contents",
  evalSplit: "contents",
  epochs: "rates",
  maxSteps: "rates",
  batchSize: "same",
  gradientAccumulationSteps: "same",
  lr: "same",
  headLr: "same",
  weightDecay: "same",
  warmupRatio: "rates",
  warmupSteps: "rates",
  schedule: "same",
  maxLength: "contents",
  overlong: "contents",
  eos: "contents",
  eosAfterChat: "contents",
  bos: "contents",
  chatTemplate: "contents",
  chatTemplateName: "contents",
  chatDate: "contents",
  centerRewardsCoefficient: "same",
  maxGradNorm: "same",
  seed: "same",
  shuffle: "same",
  logEvery: "free",
  evalSteps: "same",
  earlyStoppingPatience: "free",
  saveEvery: "free",
  saveTotalLimit: "free",
  initHead: "same",
  trainable: "same",
  adapter: "contents",
  loraR: "same",
  loraAlpha: "same",
  loraDropout: "same",
  loraTargets: "same",
  precision: "same",
  gradientCheckpointing: "free", // layers that are computed again give the same bits
  objective: "same",
  reward: "same",
  form: "same",
  loss: "same",
  beta: "same",
  reference: "contents",
  gamma: "same",
  nllWeight: "same",
  labelSmoothing: "same",
  discopopTau: "same",
  desirableWeight: "same",
  undesirableWeight: "same",
  cringeWeight: "same",
  cringeMargin: "same",
  cringeTemperature: "same",
  cringeK: "same",
  strict: "free",
  featureCache: "free",
  cacheLimit: "free",
  batchTokens: "free",
  maxShardSize: "same", // files of another cut would stay beside the new ones
  groupBy: "free",
  report: "free",
};

const hashes = z.record(z.string(), z.string());

export const identitySchema = z.object({
  /** Those with the rules `same` and `rates`. */
  options: z.record(z.string(), z.unknown()),
  /** SHA-256 of the pairs' ids and targets, in order. */
  train_rows: z.string(),
  eval_rows: z.string().nullable(),
  recipe: z.record(z.string(), z.unknown()),
  /** SHA-256 by file. */
  model: hashes,
  versions: hashes,
  adapter: z.string(),
  /** Which variants of kernels ran (`gpu.variants.inUse`). Older states don't say. */
  variants: z.string().default("default"),
  /** Tokens of a micro-batch, where more than the head learns. */
  micro_batch_tokens: z.int().min(1).optional(),
});
export type Identity = z.infer<typeof identitySchema>;
/** What is known before the device is opened. */
export type IdentityOfInput = Omit<Identity, "adapter" | "variants">;

/**
 * The run's identity but for the device, which is opened only when everything else is found good.
 * @param model SHA-256 of the base's files, by name
 */
export function identify(
  options: TrainOptions,
  { dataset, recipe }: Prepared<ExampleKind>,
  model: Readonly<Record<string, string>>,
): IdentityOfInput {
  const readsReplies = findObjective(options).form !== undefined;
  return {
    options: storedOptions(options),
    train_rows: rowsHash(dataset.train, readsReplies),
    eval_rows: dataset.eval === undefined ? null : rowsHash(dataset.eval, readsReplies),
    recipe: { ...serialiseRecipe(recipe) },
    model: { ...model },
    versions: { ...versions() },
  };
}

/** The device's part of the identity. */
export function machineOf({ facts, variants }: Gpu): Pick<Identity, "adapter" | "variants"> {
  const { vendor, architecture, device, description } = facts;
  const names = [vendor, architecture, device, description].filter((part) => part !== "");
  return { adapter: names.join(" / "), variants: variants.inUse };
}

/** @throws InputError naming everything that differs and may not */
export function checkAgrees(checkpoint: string, then: Identity, now: IdentityOfInput): void {
  const differences = [...optionDifferences(then, now), ...contentDifferences(then, now)];
  if (differences.length === 0) return;
  throw new InputError(
    `--resume ${checkpoint}: ${differences.join("; ")}. Only the same run can go on to the same bits: leave out what changes it, or begin a new run in another folder`,
  );
}

/**
 * @param microTokens of a micro-batch, as the memory plan has it now
 * @throws InputError where the steps would be cut otherwise
 */
export function checkPlan(from: FoundState | undefined, microTokens: number): void {
  const then = from?.saved.identity.micro_batch_tokens;
  if (from === undefined || then === microTokens) return;
  throw new InputError(
    `--resume ${from.folder}: steps were computed in micro-batches of at most ${then} tokens, now it would be ${microTokens}: give the --memory-budget and --batch-tokens of the run that began`,
  );
}

/** What may differ from machine to machine, in words. */
export function machineDifferences(then: Identity, now: Identity): string[] {
  const names = Object.keys({ ...then.versions, ...now.versions });
  return [
    ...(then.adapter === now.adapter ? [] : [`the adapter was ${then.adapter}, now it is ${now.adapter}`]),
    ...(then.variants === now.variants
      ? []
      : [`the kernels' variants were ${then.variants}, now they are ${now.variants}`]),
    ...names
      .filter((name) => then.versions[name] !== now.versions[name])
      .map((name) => `${name} was ${then.versions[name]}, now it is ${now.versions[name]}`),
  ];
}

function storedOptions(options: TrainOptions): Identity["options"] {
  const names = optionNames.filter((name) => rules[name] === "same" || rules[name] === "rates");
  return Object.fromEntries(names.map((name) => [name, options[name] ?? null]));
}

const optionNames = Object.keys(rules) as (keyof TrainOptions)[];

function optionDifferences(then: Identity, now: Pick<Identity, "options">): string[] {
  // A state without an option is older than the option, and did what is the default now.
  const defaults: Readonly<Record<string, unknown>> = trainDefaults;
  const before = (name: string) => (Object.hasOwn(then.options, name) ? then.options[name] : defaults[name]);
  return optionNames
    .filter((name) => rules[name] === "same" && said(before(name)) !== said(now.options[name]))
    .map((name) => `${flagOf(name)} was ${said(before(name))}, now it is ${said(now.options[name])}`);
}

const said = (value: unknown) =>
  value === null || value === undefined
    ? "not given"
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

function contentDifferences(then: Identity, now: IdentityOfInput): string[] {
  const files = Object.keys({ ...then.model, ...now.model }).filter((n) => then.model[n] !== now.model[n]);
  const recipes = JSON.stringify(then.recipe) !== JSON.stringify(now.recipe);
  return [
    ...(files.length === 0 ? [] : [`the model is another (${files.join(", ")})`]),
    ...(then.train_rows === now.train_rows ? [] : ["the training pairs are others, or in another order"]),
    ...(then.eval_rows === now.eval_rows ? [] : ["the held-out pairs are others, or in another order"]),
    ...(recipes
      ? [
          "texts become ids in another way (the input recipe: BOS, EOS, chat template or its date, length limit, reading position)",
        ]
      : []),
  ];
}

/** Of what the model sees and the loss uses: ids, margins, labels; where replies begin, if log-probabilities are read. */
function rowsHash({ examples }: TrainingSet, readsReplies: boolean): string {
  const hash = createHash("sha256");
  for (const example of examples) {
    hash.update(Float64Array.from(targetsOf(example)));
    if (readsReplies) hash.update(Int32Array.from(example.replyStarts));
    for (const ids of example.item.sequences) hash.update(Int32Array.of(ids.length)).update(ids);
  }
  return hash.digest("hex");
}

function targetsOf(example: Example): readonly number[] {
  if ("margin" in example) return [example.margin, example.label];
  if ("wanted" in example) return [example.wanted ? 1 : 0];
  return "ranks" in example ? example.ranks : [];
}
