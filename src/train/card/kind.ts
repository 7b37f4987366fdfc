/** @file What a card is of: a model with a reward head, a policy whose log-probabilities are rewards, a language model. */
import { defaultReward, objectiveNames } from "../objectives.ts";
import type { RunFile } from "../run-file.ts";
import { trainableOf } from "./sections.ts";

export type CardKind = "reward" | "policy" | "language";

export function kindOf(run: RunFile): CardKind {
  const { objective: named, reward } = run.options;
  const objective = objectiveNames.find((name) => name === named);
  if (objective === undefined) return "reward";
  if (objective === "lm") return "language";
  return (reward ?? defaultReward(objective, trainableOf(run))) === "implicit" ? "policy" : "reward";
}

/** The card's heading begins with this; "on" and the base follow. */
export const titles: Readonly<Record<CardKind, string>> = {
  reward: "A reward model",
  policy: "A policy that is its own reward model,",
  language: "A language model",
};

export const introductions: Readonly<Record<CardKind, readonly string[]>> = {
  reward: [
    "It reads a prompt with a reply and gives one number: the higher, the better the reply, by the preferences that it",
    "was trained on. Made with rmtrain.",
  ],
  policy: [
    "It continues a prompt, and its log-probability of a reply is the reply's reward: the higher, the better the reply, by",
    "the preferences that it was trained on. Made with rmtrain.",
  ],
  language: ["It continues texts like those that it was trained on. Made with rmtrain."],
};
