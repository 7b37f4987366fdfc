/** @file Wilson's interval, accuracy and the length rules, against values computed elsewhere. */
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Content } from "../../src/data/content.ts";
import { lengthBaselines, pairAccuracy, wilson } from "../../src/data/null-baselines.ts";
import { readPreferences } from "../../src/data/preference.ts";
import { plainRecord } from "./plain-record.ts";

test("wilson: textbook values, and the ends", () => {
  // 81 of 263 is Newcombe's example (Statistics in Medicine 17, 1998, table I): 0.2553 to 0.3662.
  expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
  expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
  expect(wilson(0, 20)).toEqual({ low: 0, high: expect.closeTo(0.1611, 4) });
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
});

test("wilson: both ends solve (p - share)^2 = z^2 p (1 - p) / n, and mirror each other", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, u) => {
      const k = Math.round(u * n);
      const interval = wilson(k, n);
      for (const p of [interval.low, interval.high]) {
        expect((p - k / n) ** 2).toBeCloseTo((1.959963984540054 ** 2 * p * (1 - p)) / n, 10);
      }
      expect(wilson(n - k, n).low).toBeCloseTo(1 - interval.high, 12);
    }),
  );
});

test("accuracy is strict; ties are wrong and counted", () => {
  const result = pairAccuracy([1, 2, 3, Number.NaN], [0, 2, 4, 0]);
  expect(result).toMatchObject({ n: 4, accuracy: 0.25, ties: 1, ...wilson(1, 4) });
  expect(pairAccuracy([], [])).toMatchObject({ n: 0, accuracy: Number.NaN, low: 0, high: 1 });
});

test("a label below a half turns a pair round; at a half the pair has no right answer", () => {
  expect(pairAccuracy([1, 1, 1, 1], [0, 0, 0, 1], [1, 0.3, 0.5, 0.3])).toMatchObject({
    n: 3,
    accuracy: 1 / 3,
    ties: 1,
    ...wilson(1, 3),
  });
  expect(pairAccuracy([1], [0], [0.5])).toMatchObject({ n: 0, accuracy: Number.NaN });
  const text = (chosen: string): Content => ({ kind: "text", prompt: "", replies: [chosen, "bb"] });
  expect(lengthBaselines(["a", "ccc", "a", "bb"].map(text), [0.1, 0.9, 0.5, 0.5])).toEqual({
    longer: 1,
    shorter: 0,
    ties: 0,
  });
});

test("length rules count code points, or ids; ties count half", () => {
  const text = (chosen: string, rejected: string): Content => ({
    kind: "text",
    prompt: "",
    replies: [chosen, rejected],
  });
  const pairs: Content[] = [
    text("ab", "a"),
    text("a", "\u{1f600}"),
    text("a", "bcd"),
    { kind: "ids", prompt: [1, 2], replies: [[5, 5], [5]] },
  ];
  expect(lengthBaselines(pairs)).toEqual({ longer: 0.625, shorter: 0.375, ties: 1 });
});

const shared = process.env.RMTRAIN_SHARED;
test.skipIf(shared === undefined)(
  "the floors that accompany the real data (needs RMTRAIN_SHARED)",
  async () => {
    for (const [set, longer] of [
      ["hh-harmless", 0.451],
      ["blimp", 0.531],
      ["qa-feedback", 0.501],
    ] as const) {
      const records = (await readPreferences(join(shared ?? "", "data", set, "eval.jsonl"))).map(plainRecord);
      expect(lengthBaselines(records.map((record) => record.content)).longer).toBeCloseTo(longer, 3);
    }
  },
);
