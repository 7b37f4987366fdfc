/** @file Checks of single labels, ranked lists and texts: what is planted is found, clean data have no finding. */
import { describe, expect, test } from "vitest";
import { areaUnderCurve } from "../../../src/data/checks/labels.ts";
import { runChecks } from "../../../src/data/checks/run-checks.ts";
import type { ExampleKind } from "../../../src/data/example-kind.ts";
import { recordKinds, type SourceRecord } from "../../../src/data/example-kind.ts";
import { exampleSet } from "../../../src/train/example-sets.ts";
import { EOS, encoder, short } from "./support.ts";

/** What is found in the records "t:1", "t:2"... of a kind. */
function found(
  kind: ExampleKind,
  rows: readonly object[],
  more: { maxLength?: number; held?: readonly object[] } = {},
) {
  const { maxLength = 200, held } = more;
  const recipe = { addEos: true, eosTokenId: EOS, readPosition: "last" } as const;
  const options = { encoder, recipe, vocabSize: 70_000, maxLength };
  const setOf = (name: "training" | "held-out", given: readonly object[]) => {
    const records = given.map((row, i) => recordKinds[kind].parse(row, `${name[0]}:${i + 1}`).record);
    return { name, ...exampleSet(kind, records as SourceRecord<ExampleKind>[], options) };
  };
  const sets = [setOf("training", rows), ...(held === undefined ? [] : [setOf("held-out", held)])];
  return runChecks({ sets, recipe, tokenizer: encoder, maxPositions: 200, maxLength, overlong: "drop" });
}

/** Wanted and unwanted in turn, each length once on either side. */
const cleanRows = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    prompt: `ask ${from + i}: `,
    completion: `say ${"ab".repeat(1 + ((i >> 1) % 5))} ${from + i}`,
    label: i % 2 === 0,
  }));
const cleanLists = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    prompt: `ask ${from + i}: `,
    responses: [`one ${i}`, `second ${i}`, `a third ${i}`],
    ranks: [i % 3, (i + 1) % 3, (i + 2) % 3],
  }));

test("clean rows, lists and texts have no finding", () => {
  expect(found("rows", cleanRows(40), { held: cleanRows(10, 500) })).toEqual([]);
  expect(found("lists", cleanLists(30), { held: cleanLists(9, 500) })).toEqual([]);
  const texts = Array.from({ length: 20 }, (_, i) => ({ text: `some words ${i}` }));
  expect(found("texts", texts)).toEqual([]);
});

describe("rows", () => {
  test("copies, contradictions, empty replies, too long ones, and prompts on both sides", () => {
    const rows = [
      ...cleanRows(40),
      { prompt: "p ", completion: "x", label: true },
      { prompt: "p ", completion: "x", label: false },
      { prompt: "p ", completion: "x", label: false },
      { prompt: "q ", completion: " ", label: false },
      { prompt: "q ", completion: "y".repeat(300), label: true },
    ];
    expect(
      short(found("rows", rows, { held: [{ prompt: "q ", completion: "other", label: true }] })),
    ).toEqual([
      ["too-long", "training", 1, ["t:45"]],
      ["empty-reply", "training", 1, ["t:44"]],
      ["contradictory-rows", "training", 3, ["t:41", "t:42", "t:43"]],
      ["duplicate-records", "training", 1, ["t:43"]],
      ["train-eval-overlap", undefined, 1, ["h:1"]],
      ["one-label", "held-out", 1, ["h:1"]],
      ["label-balance", "training", 44, ["t:1", "t:2", "t:3", "t:4", "t:5"]],
    ]);
  });

  test("one label alone, and a balance that KTO's authors advise against, with the weights that mend it", () => {
    const few = cleanRows(10).map((row) => ({ ...row, label: true }));
    expect(short(found("rows", few))[0]).toEqual([
      "one-label",
      "training",
      10,
      ["t:1", "t:2", "t:3", "t:4", "t:5"],
    ]);
    const advice = (wanted: number, unwanted: number) => {
      const rows = cleanRows(wanted + unwanted).map((row, i) => ({ ...row, label: i < wanted }));
      return found("rows", rows).find(({ check }) => check === "label-balance")?.message;
    };
    expect(advice(20, 10)).toMatch(/--undesirable-weight 1\.50 to 2\.00$/);
    expect(advice(10, 20)).toMatch(/--desirable-weight 2\.00 to 2\.66$/);
    expect(advice(12, 10)).toBeUndefined();
  });

  test("a label that length predicts, and the area under the curve by hand and by counting", () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      prompt: `p${i} `,
      completion: "x".repeat(1 + i),
      label: i % 7 > 0 && i > 20,
    }));
    const [finding] = found("rows", rows).filter(({ check }) => check === "label-length");
    expect(finding?.message).toMatch(/^"longer replies are wanted" alone has an AUC of 0\.8/);
    expect(areaUnderCurve([3, 1], [1, 2])).toBe((1 + 1 + 0.5 + 0) / 4);
    const values = (seed: number) => Array.from({ length: 25 }, (_, i) => (i * seed) % 11);
    const [above, below] = [values(7), values(3)];
    let wins = 0;
    for (const a of above) for (const b of below) wins += a > b ? 1 : a === b ? 0.5 : 0;
    expect(areaUnderCurve(above, below)).toBeCloseTo(wins / 625, 12);
  });

  test("a tied pair can't be two rows", () => {
    const rows = [...cleanRows(40), { prompt: "p ", chosen: "a", rejected: "b", label: 0.5 }];
    expect(short(found("rows", rows))).toEqual([["nothing-to-learn", "training", 1, ["t:41"]]]);
  });
});

describe("lists", () => {
  test("without an order or tied throughout, with equal replies, repeated, ending unevenly", () => {
    const responses = ["aa", "bb", "cc"];
    const ids = { prompt_ids: [9], ranks: [0, 1] };
    const lists = [
      ...cleanLists(30),
      { prompt: "p ", responses, rank: null },
      { prompt: "q ", responses, ranks: [1, 1, 1] },
      { prompt: "r ", responses: ["aa", "aa"], ranks: [0, 1] },
      { prompt: "s ", responses, ranks: [0, 1, 2] },
      { prompt: "s ", responses, scores: [3, 2, 1] },
      { ...ids, responses_ids: [[8, EOS], [7]] },
    ];
    const findings = found("lists", lists);
    expect(short(findings)).toEqual([
      ["nothing-to-learn", "training", 2, ["t:31", "t:32"]],
      ["identical-pairs", "training", 1, ["t:33"]],
      ["uneven-ending", "training", 1, ["t:36"]],
      ["duplicate-records", "training", 1, ["t:35"]],
    ]);
    expect(findings[0]?.message).toMatch(
      /^2 training lists left out, .*: 1 without an order .*, 1 in which all/,
    );
  });

  test("an order that length predicts, two replies at a time", () => {
    const lists = cleanLists(20).map((list) => ({ ...list, ranks: [2, 1, 0] }));
    const [finding] = found("lists", lists).filter(({ check }) => check === "length-rule");
    expect(finding).toMatchObject({ count: 60, examples: ["t:1", "t:2", "t:3", "t:4", "t:5"] });
    expect(finding?.message).toMatch(/is right on 1\.000 of 60 pairs of replies in training lists/);
  });
});
