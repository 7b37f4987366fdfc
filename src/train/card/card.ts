/**
 * @file README.md beside the weights: the model card, with the Hub's front matter. It says nothing of the time of day
 * and of durations, and nothing of the data's texts: equal runs have equal cards.
 */
import { join } from "node:path";
import type { Finding } from "../../data/checks/finding.ts";
import { writeFileAtomic } from "../../model/atomic-file.ts";
import type { ModelFolder } from "../../model/model-folder.ts";
import type { InputRecipe } from "../../model/recipe.ts";
import type { Evaluation } from "../evaluate.ts";
import type { RunFile } from "../run-file.ts";
import { frontMatter, hubName } from "./front-matter.ts";
import { introductions, kindOf, titles } from "./kind.ts";
import { plain } from "./markdown.ts";
import {
  baseSection,
  dataSection,
  evaluationSection,
  findingsSection,
  inputSection,
  optionsSection,
  trainableOf,
  versionsSection,
} from "./sections.ts";
import { usage } from "./usage.ts";
import { policyUsage } from "./usage-policy.ts";

/** What a card tells. */
export interface CardInput {
  readonly run: RunFile;
  readonly base: ModelFolder;
  readonly recipe: InputRecipe;
  /** Whether the model can read texts. */
  readonly hasTokenizer: boolean;
  /** Of the weights that the card lies beside. */
  readonly step: number;
  readonly totalSteps: number;
  readonly evaluation: Evaluation | undefined;
  readonly findings: readonly Finding[];
}

export interface CardFacts extends CardInput {
  /** The base's id on the Hub, where it is known. */
  readonly baseName: string | undefined;
}

/** Writes the card into a saved model's folder. @throws RmtrainError naming the file that can't be written */
export async function writeModelCard(folder: string, input: CardInput): Promise<void> {
  await writeFileAtomic(join(folder, "README.md"), await modelCard(input));
}

/** The card's text. */
export async function modelCard(input: CardInput): Promise<string> {
  const baseName = hubName(input.base);
  const facts: CardFacts = { ...input, baseName };
  const adapter = trainableOf(input.run) === "lora";
  const kind = kindOf(input.run);
  const sections = [
    kind === "reward"
      ? usage(input.recipe, { hasTokenizer: input.hasTokenizer, adapter })
      : policyUsage(input.run, kind, input.hasTokenizer),
    evaluationSection(facts),
    findingsSection(input.findings),
    inputSection(facts),
    dataSection(facts),
    baseSection(facts),
    optionsSection(facts),
    versionsSection(facts),
  ].filter((section) => section.length > 0);
  const lines = [
    "---",
    ...(await frontMatter(input.base, adapter, kind)),
    "---",
    "",
    `# ${titles[kind]} on ${plain(baseName ?? input.base.config.family)}`,
    "",
    ...introductions[kind],
    ...sections.flatMap((section) => ["", ...section]),
  ];
  return `${lines.join("\n")}\n`;
}
