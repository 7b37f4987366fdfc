/** @file The float64 layers at values worked out by hand, and the moments and sums that they promise. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { relativeError } from "./error.ts";
import { layerNorm, linear, rmsNorm, transpose } from "./layers.ts";
import { erf, erfc, geluErf, geluTanh, logSumExp, softmax } from "./pointwise.ts";
import { values } from "./values.ts";

describe("layers", () => {
  it("linear is x W^T + b", () => {
    expect(linear([1, 2, 3, 4], [1, 0, 0, 1, 1, 1], 2, [0, 0, 10])).toEqual(
      Float64Array.of(1, 2, 13, 3, 4, 17),
    );
    expect(transpose([1, 2, 3, 4, 5, 6], 3)).toEqual(Float64Array.of(1, 4, 2, 5, 3, 6));
  });

  it("norms have the moments that they promise", () => {
    const x = values(60, 1);
    const ones = new Float64Array(12).fill(1);
    const zeros = new Float64Array(12);
    for (let row = 0; row < 60; row += 12) {
      const rms = rmsNorm(x, ones, 0).subarray(row, row + 12);
      expect(rms.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(12, 10);
      const layer = layerNorm(x, ones, zeros, 0).subarray(row, row + 12);
      expect(layer.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 10);
      expect(layer.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(12, 10);
    }
    expect(relativeError(rmsNorm([3, 4], [1, 2], 12.5), [3 / 5, 8 / 5])).toBeLessThan(1e-15);
  });

  it("erf and GELU at known points (DLMF 7.2; scipy's values)", () => {
    expect(erf(0)).toBe(0);
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(erf(1)).toBeCloseTo(0.8427007929497149, 14);
    expect(relativeError([erfc(3)], [2.209049699858544e-5])).toBeLessThan(1e-13);
    expect(relativeError([erfc(10)], [2.088487583762545e-45])).toBeLessThan(1e-12);
    expect(Math.abs(erfc(1.5 - 1e-12) - erfc(1.5))).toBeLessThan(1e-11);
    expect(geluErf(1)).toBeCloseTo(0.8413447460685429, 13);
    expect(geluTanh(1)).toBeCloseTo(0.8411919906082768, 13);
    fc.assert(
      fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (x) => {
        expect(Math.abs(geluErf(x) - geluTanh(x))).toBeLessThan(5e-4);
        expect(geluErf(x) - geluErf(-x)).toBeCloseTo(x, 12);
      }),
    );
  });

  it("softmax sums to one and agrees with logSumExp at any offset", () => {
    const row = fc.array(fc.double({ min: -700, max: 700, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(row, fc.double({ min: -1e3, max: 1e3, noNaN: true }), (x, offset) => {
        const shifted = x.map((v) => v + offset);
        expect(softmax(shifted).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
        expect(logSumExp(shifted) - logSumExp(x)).toBeCloseTo(offset, 9);
      }),
    );
  });
});
