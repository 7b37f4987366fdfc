/** @file Ranked lists: every layout, the order in its three forms, pairs read as lists of two. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PreferenceRecord } from "../../../src/data/preference.ts";
import { pairAsList, type RankedList, rankedLists, rankedOnly } from "../../../src/data/ranked-list.ts";

const WHERE = "l:1";
const user = { role: "user", content: "q" };
const said = (content: string) => ({ role: "assistant", content });
const text = { kind: "text", prompt: "q", replies: ["a", "b", "c"] };
const chat = { kind: "chat", prompt: [user], replies: [[said("a")], [said("b")]] };

test.each<[object, object, string]>([
  [{ prompt: "q", responses: ["a", "b", "c"], ranks: [0, 1, 1] }, text, "ranked replies"],
  [{ prompt: "q", completions: ["a", "b", "c"], rank: [0, 1, 1] }, text, "ranked replies"],
  [
    { responses: ["a", "b"], ranks: [1, 0] },
    { kind: "text", prompt: "", replies: ["a", "b"] },
    "ranked replies",
  ],
  [
    { prompt_ids: [1], responses_ids: [[2], [3]], ranks: [1, 0] },
    { kind: "ids", prompt: [1], replies: [[2], [3]] },
    "ranked token ids",
  ],
  [{ prompt: [user], responses: ["a", "b"], ranks: [1, 0] }, chat, "ranked conversations"],
  [{ prompt: [user], responses: [[said("a")], said("b")], ranks: [1, 0] }, chat, "ranked conversations"],
  [{ prompt: "q", responses: [[said("a")], [said("b")]], ranks: [1, 0] }, chat, "ranked conversations"],
])("%j", (row, content, layout) => {
  const read = rankedLists.parse({ ...row, topic: "t" }, WHERE);
  expect(read.record).toMatchObject({ kind: "list", where: WHERE, content, extra: { topic: "t" } });
  expect(read.layout).toBe(layout);
});

test.each([
  [{ responses: ["a"], ranks: [0] }, "responses: expected at least two replies, found a list of 1"],
  [{ responses: "ab", ranks: [0, 1] }, 'responses: expected a list of replies, found the string "ab"'],
  [
    { prompt: "q", responses: ["a", 4], ranks: [0, 1] },
    "responses[1]: expected a string or a list of text parts",
  ],
  [{ responses: ["a", "b"] }, "no order: expected ranks (0 is best) or scores (the largest is best)"],
  [{ responses: ["a", "b"], ranks: [0] }, "ranks: 1 numbers for 2 replies"],
  [
    { responses: ["a", "b"], ranks: ["0", 1] },
    'ranks[0]: expected a finite number or null, found the string "0"',
  ],
  [{ responses: ["a", "b"], rank: 3 }, "rank: expected a list of numbers, found the number 3"],
  [{ responses: ["a", "b"], ranks: [0, 1], scores: [1, 0] }, "ranks and scores: which one is the order?"],
  [{ responses: ["a", "b"], completions: ["a", "b"], ranks: [0, 1] }, "responses and completions: which one"],
  [
    { prompt: [user], responses: [[user], "b"], ranks: [0, 1] },
    "responses[0] ends in a message of role user",
  ],
  [{ prompt: "q", completion: "a", label: true }, "single-label rows {prompt, completion, label}"],
])("%j is refused", (row, message) => {
  expect(() => rankedLists.parse(row, WHERE)).toThrow(`${WHERE}: ${message}`);
});

const list = (more: object) =>
  rankedLists.parse({ prompt: "q", responses: ["a", "b", "c"], ...more }, WHERE).record as RankedList;

test("scores rank from the largest down and stay beside the ranks; equal ones share a place", () => {
  expect(list({ scores: [2, 9.5, 2] })).toMatchObject({ ranks: [1, 0, 1], scores: [2, 9.5, 2] });
  expect(list({ scores: [null, -1, 3] })).toMatchObject({ ranks: [null, 1, 0] });
});

test("an order of null is none; a reply of rank null has no place", () => {
  expect(list({ rank: null }).ranks).toBeUndefined();
  expect(rankedOnly(list({ rank: null }))).toBeUndefined();
  expect(rankedOnly(list({ ranks: [null, null, 0] }))).toBeUndefined();
  const kept = rankedOnly(list({ ranks: [7, null, 3] }));
  expect(kept).toMatchObject({ content: { replies: ["a", "c"] }, ranks: [1, 0] });
  const scored = rankedOnly(list({ scores: [1, null, 3] }));
  expect(scored).toMatchObject({ content: { replies: ["a", "c"] }, ranks: [1, 0], scores: [1, 3] });
});

test("ranks become whole numbers from 0 without gaps, in the same order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
      (ranks) => {
        const dense = rankedOnly(list({ ranks }))?.ranks ?? [];
        expect([...new Set(dense)].sort()).toEqual([...new Set(dense)].map((_, i) => i));
        for (const i of dense.keys())
          for (const j of dense.keys())
            expect(Math.sign(dense[i]! - dense[j]!)).toBe(Math.sign(ranks[i]! - ranks[j]!));
      },
    ),
  );
});

test("a pair is a list of two; a label below a half turns it round, a tie ranks both alike", () => {
  const pair = (more: object) =>
    rankedLists.parse({ prompt: "q", chosen: "a", rejected: "b", ...more }, WHERE).record as PreferenceRecord;
  expect(pairAsList(pair({})).ranks).toEqual([0, 1]);
  expect(pairAsList(pair({ label: 0.1 })).ranks).toEqual([1, 0]);
  expect(pairAsList(pair({ label: 0.5 })).ranks).toEqual([0, 0]);
});
