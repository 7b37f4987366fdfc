/** @file Quantiles and runs of sorted values. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { equalMass, quantile, sorted } from "../../src/data/quantiles.ts";

const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 60 });

it("quantiles lie between neighbours; the ends are the ends", () => {
  expect([0, 0.25, 0.5, 0.9, 1].map((q) => quantile([1, 2, 3, 4, 12], q))).toEqual([
    1,
    2,
    3,
    expect.closeTo(8.8, 12),
    12,
  ]);
  expect(quantile([7], 0.3)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

it("numbers are sorted as numbers", () => {
  expect([...sorted([10, 9, -1, 100])]).toEqual([-1, 9, 10, 100]);
});

it("runs cover everything once, never part equal values, and are even where values differ", () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 12 }), (given, count) => {
      const ascending = sorted(given);
      const runs = equalMass(ascending, count);
      expect(runs.length).toBeLessThanOrEqual(count);
      let at = 0;
      for (const { from, to } of runs) {
        expect(from).toBe(at);
        expect(to).toBeGreaterThan(from);
        if (to < ascending.length) expect(ascending[to]).not.toBe(ascending[to - 1]);
        at = to;
      }
      expect(at).toBe(given.length);
    }),
  );
  expect(equalMass([1, 2, 3, 4, 5, 6, 7], 3).map((r) => r.to - r.from)).toEqual([2, 3, 2]);
  expect(equalMass([], 3)).toEqual([]);
});
