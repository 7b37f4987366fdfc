/** @file f16 and bf16: bits by the formats' definitions, ties, limits, every pattern there and back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bf16Bits, f16Bits, roundBf16, roundF16, widenBf16, widenF16 } from "./rounding.ts";

describe("16-bit floats", () => {
  it.each([
    [1, 0x3c00, 0x3f80],
    [-2, 0xc000, 0xc000],
    [0, 0, 0],
    [-0, 0x8000, 0x8000],
    [Number.POSITIVE_INFINITY, 0x7c00, 0x7f80],
    [2 ** -14, 0x0400, 0x3880],
    [2 ** -24, 0x0001, 0x3380],
  ])("%d has the bits that the formats say", (x, f16, bf16) => {
    expect(f16Bits(x)).toBe(f16);
    expect(widenF16(f16)).toBe(x);
    expect(bf16Bits(x)).toBe(bf16);
    expect(widenBf16(bf16)).toBe(x);
  });

  it("ties go to even, past the largest to infinity, below the smallest to zero", () => {
    expect(roundF16(1 + 2 ** -11)).toBe(1);
    expect(roundF16(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(roundF16(65_519)).toBe(65_504);
    expect(roundF16(65_520)).toBe(Number.POSITIVE_INFINITY);
    expect(roundF16(2 ** -25)).toBe(0);
    expect(roundF16(2 ** -25 * 1.01)).toBe(2 ** -24);
    expect(roundBf16(1 + 2 ** -8)).toBe(1);
    expect(roundBf16(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(roundBf16(3.3999e38)).toBe(Number.POSITIVE_INFINITY);
    expect(roundBf16(Number.NaN)).toBeNaN();
    expect(widenF16(f16Bits(Number.NaN))).toBeNaN();
    expect(widenBf16(bf16Bits(Number.NaN))).toBeNaN();
  });

  it("every finite pattern survives widening and rounding", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if (Number.isFinite(widenF16(bits)) && f16Bits(widenF16(bits)) !== bits) expect.fail(`f16 ${bits}`);
      if (Number.isFinite(widenBf16(bits)) && bf16Bits(widenBf16(bits)) !== bits) expect.fail(`bf16 ${bits}`);
    }
  });

  it("rounding picks a nearest neighbour", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -65_000, max: 65_000 }), (x) => {
        const rounded = roundF16(x);
        const distance = Math.abs(rounded - x);
        for (const step of [-1, 1]) {
          const neighbour = widenF16(f16Bits(Math.abs(rounded)) + step);
          if (!Number.isNaN(neighbour))
            expect(distance).toBeLessThanOrEqual(Math.abs(neighbour - Math.abs(x)));
        }
      }),
    );
  });
});
