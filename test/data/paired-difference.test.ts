/** @file The difference between a model and a rule on the same pairs. */
import { expect, it } from "vitest";
import { pairedDifference } from "../../src/data/paired-difference.ts";

it("pairs on which both agree do not widen the interval beyond what their number does", () => {
  const same = pairedDifference([1, 1, 0, 0], [1, 1, 0, 0]);
  expect(same).toEqual({ mean: 0, low: 0, high: 0 });
});

it("McNemar's counts: 30 for, 10 against, of 100", () => {
  const model = [...Array(30).fill(1), ...Array(10).fill(0), ...Array(60).fill(1)];
  const rule = [...Array(30).fill(0), ...Array(10).fill(1), ...Array(60).fill(1)];
  const { mean, low, high } = pairedDifference(model, rule);
  expect(mean).toBeCloseTo(0.2, 12);
  // Variance of the mean: ((30 + 10) / 100 - 0.2^2) / 100.
  const half = 1.959963984540054 * Math.sqrt(0.36 / 100);
  expect([low, high]).toEqual([expect.closeTo(0.2 - half, 12), expect.closeTo(0.2 + half, 12)]);
});

it("ties count half, and the interval stays inside [-1, 1]", () => {
  expect(pairedDifference([1, 0], [0.5, 0.5]).mean).toBe(0);
  const { low, high } = pairedDifference([1, 0], [0, 1]);
  expect([low, high]).toEqual([-1, 1]);
});
