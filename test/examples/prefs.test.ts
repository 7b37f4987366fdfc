/** @file The example pairs keep what the README says of them: counts, balance, and a split that shares no topic. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  EXAMPLE_SEED,
  type ExamplePair,
  fill,
  makePairs,
  PAIRS_PER_KIND,
  toJsonl,
} from "../../scripts/lib/prefs.ts";
import { KINDS, SPLITS, type Split, TEMPLATES } from "../../scripts/lib/templates.ts";
import { EVAL_TOPICS, type Topic, TRAIN_TOPICS } from "../../scripts/lib/topics.ts";

const file = readFileSync(new URL("../../examples/prefs.jsonl", import.meta.url), "utf8");
const pairs = file
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as ExamplePair);

const textOf = ({ prompt, chosen, rejected }: ExamplePair): string => `${prompt}${chosen}\n${rejected}`;
const trainText = pairs
  .filter(({ split }) => split === "train")
  .map(textOf)
  .join("\n")
  .toLowerCase();

const templatesOf = (split: Split): string[] =>
  KINDS.flatMap((kind) => {
    const { prompts, chosen, rejected } = TEMPLATES[kind][split];
    return [...prompts, ...chosen, ...(rejected ?? [])];
  });

const phrasesOf = ({ activity, thing, tips }: Topic): string[] => [activity, thing, ...tips];

/** The share of pairs in which the longer reply is the chosen one; ties count half. */
function longerWins(some: readonly ExamplePair[]): number {
  const points = some.map(({ chosen, rejected }) => (Math.sign(chosen.length - rejected.length) + 1) / 2);
  return points.reduce((sum, point) => sum + point, 0) / some.length;
}

/** All runs of `length` words in which no slot stands, in lower case and without punctuation. */
function wordRuns(template: string, length: number): string[] {
  return template
    .toLowerCase()
    .split(/\{\w+\}/)
    .flatMap((piece) => {
      const words = piece.match(/[a-z']+/g) ?? [];
      return words.slice(length - 1).map((_, i) => words.slice(i, i + length).join(" "));
    });
}

describe("examples/prefs.jsonl", () => {
  it("is what the script writes", () => {
    expect(file).toBe(toJsonl(makePairs(EXAMPLE_SEED)));
  });

  it("holds 400 different pairs, each kind in both splits", () => {
    expect(pairs).toHaveLength(400);
    expect(new Set(pairs.map(textOf)).size).toBe(400);
    for (const kind of KINDS) {
      for (const split of SPLITS) {
        const some = pairs.filter((pair) => pair.kind === kind && pair.split === split);
        expect(some, `${kind} ${split}`).toHaveLength(PAIRS_PER_KIND[split]);
      }
    }
  });

  it("tells nothing by length: the null baselines lie within 0.45 and 0.55, overall, by split and by kind", () => {
    for (const split of SPLITS) {
      const ofSplit = pairs.filter((pair) => pair.split === split);
      const groups = [pairs, ofSplit, ...KINDS.map((kind) => ofSplit.filter((pair) => pair.kind === kind))];
      for (const group of groups) {
        expect(longerWins(group)).toBeGreaterThanOrEqual(0.45);
        expect(longerWins(group)).toBeLessThanOrEqual(0.55);
      }
    }
  });

  it("has prompts and replies of printable ASCII, and replies that differ", () => {
    for (const { prompt, chosen, rejected } of pairs) {
      expect(prompt).toMatch(/^[A-Z][ -~]+[.?]\n$/);
      expect(chosen).toMatch(/^[A-Z][ -~]+[.!]$/);
      expect(rejected).toMatch(/^[A-Z][ -~]+[.!?]$/);
      expect(chosen).not.toBe(rejected);
    }
  });
});

describe("the held-out pairs", () => {
  it("are about other topics: no activity, thing or tip of theirs occurs in a training pair", () => {
    for (const phrase of EVAL_TOPICS.flatMap(phrasesOf)) {
      expect(trainText.includes(phrase), phrase).toBe(false);
    }
    const inTrain = new Set(TRAIN_TOPICS.flatMap(phrasesOf));
    expect(EVAL_TOPICS.flatMap(phrasesOf).filter((phrase) => inTrain.has(phrase))).toEqual([]);
  });

  it("use other sentences: no run of five words of their templates stands in a training pair", () => {
    const runs = templatesOf("eval").flatMap((template) => wordRuns(template, 5));
    expect(runs.length).toBeGreaterThan(50);
    const words = ` ${(trainText.match(/[a-z']+/g) ?? []).join(" ")} `;
    expect(runs.filter((run) => words.includes(` ${run} `))).toEqual([]);
  });

  it("share no template and no prompt with the training pairs", () => {
    const inTrain = new Set(templatesOf("train"));
    expect(templatesOf("eval").filter((template) => inTrain.has(template))).toEqual([]);
    const prompts = (split: Split): Set<string> =>
      new Set(pairs.filter((pair) => pair.split === split).map(({ prompt }) => prompt));
    const trainPrompts = prompts("train");
    expect([...prompts("eval")].filter((prompt) => trainPrompts.has(prompt))).toEqual([]);
  });
});

describe("fill", () => {
  it("fills slots, with a capital where the slot's name has one", () => {
    expect(fill("{Tip}, then {tip}.", { tip: "rest" })).toBe("Rest, then rest.");
  });

  it("refuses a slot without a text", () => {
    expect(() => fill("{what}", { tip: "rest" })).toThrow("{what}");
  });
});
