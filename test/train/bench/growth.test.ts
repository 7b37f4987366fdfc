/** @file Fitted exponents of growth, and which shapes are measured for them. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { fitExponent } from "../../../src/train/bench/exponent.ts";
import { measureGrowth } from "../../../src/train/bench/growth.ts";

it("finds the exponent of a power, whatever its factor", () => {
  const number = fc.double({ min: -2, max: 3, noNaN: true });
  fc.assert(
    fc.property(number, fc.double({ min: 1e-6, max: 1e3, noNaN: true }), (exponent, factor) => {
      const costs = [3, 7, 11, 64].map((size) => ({ size, seconds: factor * size ** exponent }));
      expect(fitExponent(costs)).toBeCloseTo(exponent, 8);
    }),
  );
});

it("quarters and halves one size at a time, measures no shape twice, and the known one not at all", async () => {
  const seen: string[] = [];
  const shape = { length: 64, batch: 8, layers: 4, vocabulary: 1 };
  const rows = await measureGrowth(shape, 64 * 8 * 4 ** 2, async ({ length, batch, layers, vocabulary }) => {
    seen.push([length, batch, layers, vocabulary].join(" "));
    return length * batch * layers ** 2;
  });
  expect(seen).toEqual([...new Set(seen)]);
  expect(seen).not.toContain("64 8 4 1");
  expect(rows.map(({ axis, costs }) => [axis, ...costs.map(({ size }) => size)])).toEqual([
    ["length", 16, 32, 64],
    ["batch", 2, 4, 8],
    ["layers", 1, 2, 4],
  ]);
  for (const [i, exponent] of [1, 1, 2].entries()) expect(rows[i]?.exponent).toBeCloseTo(exponent, 8);
});
