/** @file Calibration against a naive float64 version with every pair in both orders, and against cases known by hand. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calibrate, sigmoid } from "../../src/train/calibration.ts";
import { bestScale, bothOrders, brier, ece, logLoss } from "../reference/calibration.ts";
import { normals } from "../support/numbers.ts";

const margin = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -20, max: 20, noNaN: true }));
const pairs = fc.array(fc.tuple(margin, fc.constantFrom(1, 1, 1, 0.5, 0.25, 0)), {
  minLength: 1,
  maxLength: 60,
});

it("Brier, NLL and ECE are those of all pairs in both orders, with bins that mirror each other", () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: 1, max: 15 }), (rows, bins) => {
      const margins = rows.map(([m]) => m);
      const labels = rows.map(([, y]) => y);
      const found = calibrate(margins, labels, bins);
      const points = bothOrders(margins, labels);
      expect(Math.abs(found.brier - brier(points))).toBeLessThan(1e-12);
      expect(Math.abs(found.nll - logLoss(points))).toBeLessThan(1e-9 * (1 + found.nll));
      expect(found.bins.length).toBeLessThanOrEqual(bins);
      expect(found.bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(rows.length);
      // The bins' ranges from their sizes alone; their mirror images hold the pairs' other order.
      const confidences = margins.map((m) => sigmoid(Math.abs(m))).sort((a, b) => a - b);
      let from = 0;
      const half = found.bins.map((bin): [number, number] => {
        const range: [number, number] = [confidences[from]!, confidences[from + bin.n - 1]!];
        from += bin.n;
        return range;
      });
      // A bin at exactly one half is its own mirror image.
      const mirror = half.map(([low, high]): [number, number] => [1 - high, 1 - low]);
      const upper = points.filter(({ p }) => p > 0.5);
      const lower = points.filter(({ p }) => p < 0.5);
      const weight = (some: readonly unknown[]) => some.length / points.length;
      const slack = ([low, high]: [number, number]): [number, number] => [low - 1e-12, high + 1e-12];
      // Ranges tell the bins' points apart only where no confidence of one is another's, to rounding; far out they all are 1.
      const apart = half.every(([low], i) => i === 0 || low - half[i - 1]![1] > 2e-12);
      if (apart && upper.length + lower.length === points.length) {
        const naive =
          weight(upper) * ece(upper, half.map(slack)) + weight(lower) * ece(lower, mirror.map(slack));
        expect(Math.abs(found.ece - naive)).toBeLessThan(1e-9);
      }
    }),
  );
});

it("the temperature has the least NLL of a fine grid, and its own NLL is right", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const margins = rows.map(([m]) => m);
      const labels = rows.map(([, y]) => y);
      const { temperature, nllAtTemperature } = calibrate(margins, labels);
      const scale = bestScale(margins, labels, 4, 400);
      const at = (b: number) =>
        logLoss(
          bothOrders(
            margins.map((m) => b * m),
            labels,
          ),
        );
      expect(nllAtTemperature).toBeLessThanOrEqual(at(scale) + 1e-12);
      if (temperature > 0) expect(Math.abs(nllAtTemperature - at(1 / temperature))).toBeLessThan(1e-9);
    }),
    { numRuns: 60 },
  );
});

it("neither the order of the pairs nor which side came first matters", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const of = (some: readonly (readonly [number, number])[]) =>
        calibrate(
          some.map(([m]) => m),
          some.map(([, y]) => y),
        );
      const here = of(rows);
      const near = (a: number, b: number) =>
        expect(a === b || Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b))).toBe(true);
      for (const other of [of(rows.toReversed()), of(rows.map(([m, y]) => [-m, 1 - y] as const))]) {
        for (const name of ["brier", "nll", "ece", "eceByChance", "right", "nllAtTemperature"] as const)
          near(other[name], here[name]);
      }
    }),
  );
});

describe("known cases", () => {
  it("all margins 0: one half of everything, one bin, no ECE", () => {
    const { bins, ...found } = calibrate([0, 0, 0]);
    expect(found).toEqual({
      n: 3,
      brier: 0.25,
      nll: Math.LN2,
      ece: 0,
      eceByChance: expect.closeTo(Math.sqrt(2 / Math.PI) * Math.sqrt(0.25 / 3), 12),
      confidence: 0.5,
      right: 0.5,
      temperature: Number.POSITIVE_INFINITY,
      nllAtTemperature: Math.LN2,
    });
    expect(bins).toHaveLength(1);
  });

  it("three of four right at margin ln 3: calibrated as it is", () => {
    const m = Math.log(3);
    const found = calibrate([m, m, m, -m]);
    expect(found.ece).toBeCloseTo(0, 12);
    expect(found.temperature).toBeCloseTo(1, 9);
    expect(found.brier).toBeCloseTo(0.75 * 0.0625 + 0.25 * 0.5625, 12);
  });

  it("the same with margins ten times too large: T = 10, and the ECE is what is too much", () => {
    const m = 10 * Math.log(3);
    const found = calibrate([m, m, m, -m]);
    expect(found.temperature).toBeCloseTo(10, 8);
    expect(found.ece).toBeCloseTo(sigmoid(m) - 0.75, 12);
    expect(found.nllAtTemperature).toBeCloseTo(0.75 * Math.log(4 / 3) + 0.25 * Math.log(4), 9);
  });

  it("all right: T = 0; all wrong: no temperature helps", () => {
    expect(calibrate([1, 2, 0])).toMatchObject({ temperature: 0, nllAtTemperature: Math.LN2 / 3 });
    expect(calibrate([-1, -2, 0.5])).toMatchObject({
      temperature: Number.POSITIVE_INFINITY,
      nllAtTemperature: Math.LN2,
    });
  });

  it("margins far out stay finite", () => {
    const found = calibrate([1e30, -1e30, 3e38, 1e-30]);
    for (const name of ["brier", "nll", "ece", "temperature", "nllAtTemperature"] as const)
      expect(Number.isFinite(found[name]), name).toBe(true);
  });

  it("margins near the least number there is: as good as margins of 0", () => {
    expect(calibrate([-1.5e-323, 0], [0.25, 1])).toMatchObject({ nllAtTemperature: Math.LN2 });
  });

  it("no pairs: nothing is known", () => {
    expect(calibrate([])).toMatchObject({ n: 0, bins: [] });
  });
});

it("outcomes drawn from the stated probabilities: ECE near what chance alone gives, T near 1", () => {
  const n = 20_000;
  const size = [...normals(1, n, 1.5)];
  const drawn = [...normals(2, n)];
  // A standard normal below the quantile of p has probability p; the logistic of 1.702 z is within 0.01 of it.
  const margins = size.map((m, i) => (sigmoid(1.702 * drawn[i]!) < sigmoid(m) ? m : -m));
  const found = calibrate(margins);
  expect(Math.abs(found.temperature - 1)).toBeLessThan(0.05);
  expect(found.ece).toBeLessThan(0.02);
  expect(found.eceByChance).toBeGreaterThan(0.002);
  expect(found.eceByChance).toBeLessThan(0.012);
});
