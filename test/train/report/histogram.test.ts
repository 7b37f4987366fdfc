/** @file Histograms: every value is counted once, edges are round, and 0 is one of them. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { binsFor, edges, tally } from "../../../src/train/report/histogram.ts";

const values = fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 200 });

it("every value is counted once, and what no bin reaches is told", () => {
  fc.assert(
    fc.property(values, (given) => {
      const bins = binsFor(given);
      const { counts, beyond } = tally(given, bins);
      expect(counts.reduce((a, b) => a + b, 0)).toBe(given.length);
      expect(bins.count).toBeLessThan(120);
      const [first, last] = [edges(bins, 0).from, edges(bins, bins.count - 1).to];
      const slack = 1e-9 * bins.width;
      expect(given.filter((v) => v < first - slack || v > last + slack).length).toBeLessThanOrEqual(beyond);
    }),
  );
});

it("edges are multiples of a round width, so 0 parts wrong from right", () => {
  const bins = binsFor([-0.93, -0.1, 0.05, 1.07]);
  const all = Array.from({ length: bins.count }, (_, i) => edges(bins, i).from);
  expect(bins.width).toBeCloseTo(0.1, 12);
  expect(all.some((edge) => Math.abs(edge) < 1e-12)).toBe(true);
  const { counts } = tally([-0.93, -0.1, 0.05, 1.07], bins);
  expect([...counts].reduce((sum, n, i) => sum + (all[i]! < -1e-12 ? n : 0), 0)).toBe(2);
});

it("one far value does not squeeze the others into one bar", () => {
  const given = [...Array.from({ length: 500 }, (_, i) => i / 500), 1e6];
  const bins = binsFor(given);
  const { counts, beyond } = tally(given, bins);
  expect(beyond).toBe(1);
  expect(counts.filter((n) => n > 0).length).toBeGreaterThan(15);
});

it("equal values have one bar", () => {
  for (const value of [0, 5, -3e-9, 1e30])
    expect(tally([value, value], binsFor([value, value])).counts.filter((n) => n > 0)).toEqual(
      Uint32Array.of(2),
    );
});
