/** @file Lines to score: each form, the id that is kept, and refusals. */
import { expect, test } from "vitest";
import { parseScoreRecord } from "../../src/data/score-record.ts";

const WHERE = "-:1";

test.each([
  [{ text: "t" }, { kind: "text", prompt: "", replies: ["t"] }],
  [
    { prompt: "p", response: "r" },
    { kind: "text", prompt: "p", replies: ["r"] },
  ],
  [{ input_ids: [1, 2] }, { kind: "ids", prompt: [], replies: [[1, 2]] }],
  [
    { prompt_ids: [1], response_ids: [2] },
    { kind: "ids", prompt: [1], replies: [[2]] },
  ],
  [
    { chosen: "a", rejected: "b" },
    { kind: "text", prompt: "", replies: ["a", "b"] },
  ],
  [
    { prompt_ids: [9], chosen_ids: [1], rejected_ids: [2] },
    { kind: "ids", prompt: [9], replies: [[1], [2]] },
  ],
])("%j", (value, content) => {
  const record = parseScoreRecord({ ...value, id: "x", other: 1 }, WHERE);
  expect(record).toEqual({ where: WHERE, content, id: "x", pair: content.replies.length === 2 });
});

test("lists, of two replies too, are no pairs; their order is not needed", () => {
  for (const replies of [
    ["a", "b"],
    ["a", "b", "c"],
  ])
    for (const order of [{}, { rank: null }, { scores: replies.map((_, i) => i) }])
      expect(parseScoreRecord({ prompt: "p", responses: replies, ...order, id: 3 }, WHERE)).toEqual({
        where: WHERE,
        content: { kind: "text", prompt: "p", replies },
        id: 3,
        pair: false,
        list: true,
      });
  // What a pair was made of is left alone, and an order beside a text is none of ours.
  expect(parseScoreRecord({ chosen: "a", rejected: "b", responses: ["a", "b"] }, WHERE).pair).toBe(true);
  expect(parseScoreRecord({ text: "a", rank: 3 }, WHERE).pair).toBe(false);
});

test("a pair keeps its margin, a numeric id stays a number", () => {
  const record = parseScoreRecord({ chosen: "a", rejected: "b", margin: -1, id: 0 }, WHERE);
  expect([record.margin, record.id]).toEqual([-1, 0]);
  expect(parseScoreRecord({ text: "a", margin: "any" }, WHERE)).not.toHaveProperty("margin");
});

test.each([
  [{}, "found no field"],
  [{ text: "a", prompt: "b" }, "prompt doesn't go with text"],
  [{ response: "a", chosen: "b", rejected: "c" }, "chosen doesn't go with response"],
  [{ prompt: "a", response_ids: [1] }, "prompt doesn't go with response_ids"],
  [{ text: "a", id: {} }, "id: expected a string or a finite number"],
  [{ chosen: "a", rejected: "b", margin: "1" }, "margin: expected a finite number"],
  [{ text: [{ role: "user", content: "a" }] }, "text: expected a string, found a list of 1"],
])("%j is refused", (value, message) => {
  expect(() => parseScoreRecord(value, WHERE)).toThrow(message);
});
