/** @file The card's sections: base, data, input, hyperparameters, evaluation, findings, versions. */
import type { Finding } from "../../data/checks/finding.ts";
import { loraDefaults } from "../../model/adapter/settings.ts";
import { type StoredRecipe, serialiseRecipe } from "../../model/stored-recipe.ts";
import type { Evaluation } from "../evaluate.ts";
import { findLoss } from "../losses/table.ts";
import { objectiveNames, objectives } from "../objectives.ts";
import { type Trainable, trainables } from "../options.ts";
import type { RunFile } from "../run-file.ts";
import type { CardFacts } from "./card.ts";
import { type CardKind, kindOf } from "./kind.ts";
import { decimal, plain, share, table } from "./markdown.ts";

const hashTable = (files: Readonly<Record<string, string | null>>) =>
  table(
    ["file", "SHA-256"],
    Object.entries(files).map(([file, hash]) => [
      plain(file),
      hash === null ? "standard input" : `\`${hash}\``,
    ]),
  );

/** Runs of earlier versions trained heads. */
export const trainableOf = ({ options }: RunFile): Trainable =>
  trainables.find((name) => name === options.trainable) ?? "head";

/** What became of the base's weights. */
function learnt(run: RunFile, kind: CardKind): string {
  const head = kind === "reward";
  switch (trainableOf(run)) {
    case "head":
      return "Its weights are frozen; the head is what was trained.";
    case "full":
      return `All of its weights were trained on${head ? ", together with the head" : ""}.`;
    case "lora":
      return `Its weights are frozen; low-rank updates of its linear layers${head ? " and the head" : ""} were trained (${updates(run)}).`;
  }
}

function updates({ options }: RunFile): string {
  const { adapter, lora_r: r, lora_alpha: alpha, lora_targets: targets } = options;
  if (typeof adapter === "string") return "those of another adapter, trained on";
  const names = [targets ?? loraDefaults.targets].flat().map((name) => plain(String(name)));
  return `rank ${r ?? loraDefaults.r}, alpha ${alpha ?? loraDefaults.alpha}, of ${names.join(", ")}`;
}

export function baseSection({ run, base, baseName }: CardFacts): string[] {
  const { family, layers, hiddenSize, vocabSize } = base.config;
  const sizes = `${layers} layers of width ${hiddenSize}, vocabulary ${vocabSize}`;
  return [
    "## Base",
    "",
    `${baseName === undefined ? "A local folder" : plain(baseName)} (${family}, ${sizes}). ${learnt(run, kindOf(run))}`,
    "",
    ...hashTable(run.base.files),
  ];
}

/** Counts of pairs by side; the names are those of run.json. */
const countRows = {
  records: "pairs read",
  dropped: "left out: a side is over the length limit",
  identical: "left out: its sides are equal",
  tokens: "tokens, a shared prompt counted for each side",
} as const;

export function dataSection({ run }: CardFacts): string[] {
  const { train, eval: held, split_by } = run.data;
  const sides = held === null ? [train] : [train, held];
  const cells = (of: (side: RunFile["data"]["train"]) => string | number) => sides.map((s) => String(of(s)));
  return [
    "## Data",
    "",
    ...hashTable({ ...train.files, ...held?.files }),
    "",
    held === null ? "Nothing was held out." : `Held out by: ${plain(split_by)}.`,
    "",
    ...table(
      ["", "training", ...(held === null ? [] : ["held out"])],
      [
        ...Object.entries(countRows).flatMap(([name, words]) =>
          name in train ? [[words, ...cells((side) => side[name as keyof typeof countRows])]] : [],
        ),
        ["sides cut: chosen, rejected", ...cells((side) => side.truncated.join(", "))],
      ],
    ),
  ];
}

export function inputSection({ recipe, run }: CardFacts): string[] {
  const stored: StoredRecipe = serialiseRecipe(recipe);
  const where = trainableOf(run) === "lora" ? "the header of `adapter_model.safetensors`" : "`config.json`";
  return [
    "## Input recipe",
    "",
    `Stored in ${where} under \`rmtrain\`; a text read in another way gets another reward.`,
    "",
    ...valueTable(stored),
  ];
}

function lossOf({ options }: RunFile): string {
  const objective = objectiveNames.find((name) => name === options.objective) ?? "bt";
  const loss = findLoss(String(options.loss ?? objectives[objective].loss));
  if (loss === undefined || loss.name === "logistic")
    return "The logistic loss of differences of rewards (Bradley–Terry)";
  return loss.name === "nll" ? "The next-token loss" : `The loss \`${loss.name}\` (${plain(loss.paper)})`;
}

export function optionsSection({ run, step, totalSteps }: CardFacts): string[] {
  return [
    "## Training",
    "",
    `${lossOf(run)}; the ${trainableOf(run) === "head" ? "head is that" : "weights are those"} of step ${step} of ${totalSteps}. \`run.json\` beside this file holds everything that is needed to run it again: \`npx rmtrain train --config run.json\`.`,
    "",
    ...valueTable(run.options),
  ];
}

function valueTable(values: object): string[] {
  const shown = (value: unknown) => plain(typeof value === "string" ? value : JSON.stringify(value));
  return table(
    ["option", "value"],
    flatten(values).map(([name, value]) => [`\`${name}\``, value === null ? "none" : shown(value)]),
  );
}

/** Fields of fields by "field.field". */
function flatten(values: object, prefix = ""): [name: string, value: unknown][] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]) => {
    const name = `${prefix}${key}`;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return value === undefined ? [] : isObject ? flatten(value, `${name}.`) : [[name, value]];
  });
}

export function evaluationSection({ evaluation, run, step, totalSteps }: CardFacts): string[] {
  if (evaluation === undefined) return ["## Evaluation", "", "None: no pairs were held out."];
  const { accuracy, baselines, metrics, groups } = evaluation;
  return [
    "## Evaluation",
    "",
    `On the ${accuracy.n} held-out pairs. Intervals are Wilson's, 95 %. Equal rewards count as wrong.${step < totalSteps ? " The step was chosen on these pairs, so their accuracy is a little too good." : ""}`,
    "",
    ...table(
      ["", "accuracy", "interval"],
      [
        ["this model", share(accuracy.accuracy), interval(accuracy)],
        ["always the longer reply", share(baselines.longer), ""],
        ["always the shorter reply", share(baselines.shorter), ""],
      ],
    ),
    "",
    `Loss ${decimal(metrics.loss)}, mean margin ${decimal(metrics.margin)}, ${accuracy.ties} ties; rewards from ${decimal(metrics.min_reward)} to ${decimal(metrics.max_reward)}, mean ${decimal(metrics.mean_reward)}.`,
    ...groupTable(groups, String(run.options.group_by)),
  ];
}

const interval = ({ low, high }: { readonly low: number; readonly high: number }) =>
  `${share(low)} to ${share(high)}`;

function groupTable(groups: Evaluation["groups"], field: string): string[] {
  if (groups.length === 0) return [];
  const rows = groups.map((g) => [plain(g.group), String(g.n), share(g.accuracy), interval(g)]);
  return ["", ...table([plain(field), "pairs", "accuracy", "interval"], rows)];
}

/** What the check found, without its example rows: those name the data's files and lines. */
export function findingsSection(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const rows = findings.map((f) => [f.severity, `\`${f.check}\``, String(f.count), plain(f.message)]);
  return ["## Findings in the data", "", ...table(["", "check", "count", "what"], rows)];
}

export function versionsSection({ run }: CardFacts): string[] {
  const rows = Object.entries(run.versions).map(([name, version]) => [name, plain(version)]);
  return ["## Versions", "", ...table(["", ""], [...rows, ["adapter", plain(run.adapter)]])];
}
