/** @file The float64 rotary embedding: what rotations keep, and Llama 3's rescaling. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { relativeError } from "./error.ts";
import { ropeFrequencies, rotate } from "./rope.ts";
import { values } from "./values.ts";

describe("rope", () => {
  it("depends on the distance of positions alone, and keeps lengths", () => {
    const frequencies = ropeFrequencies(12, { theta: 1e4 });
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(500), (a, b, shift) => {
        const q = values(12, a);
        const k = values(12, b + 1000);
        const dot = (p: number, r: number) => {
          const rotatedKey = rotate(k, [r], frequencies);
          return rotate(q, [p], frequencies).reduce((sum, v, i) => sum + v * (rotatedKey[i] ?? 0), 0);
        };
        expect(dot(a, b)).toBeCloseTo(dot(a + shift, b + shift), 9);
        expect(Math.hypot(...rotate(q, [a], frequencies))).toBeCloseTo(Math.hypot(...q), 12);
      }),
    );
  });

  it("pairs element i with i + headDim/2", () => {
    const turned = rotate([1, 0, 0, 0], [Math.PI / 2], ropeFrequencies(4, { theta: 1e4 }));
    expect(relativeError(turned, [0, 0, 1, 0])).toBeLessThan(1e-15);
  });

  it("rescales as Llama 3: short waves not at all, long ones by the factor, between them in between", () => {
    const plain = ropeFrequencies(128, { theta: 5e5 });
    const scaling = {
      type: "llama3",
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    } as const;
    const scaled = ropeFrequencies(128, { theta: 5e5, scaling });
    const kinds = new Set<string>();
    scaled.forEach((frequency, i) => {
      const original = plain[i] ?? Number.NaN;
      const wavelength = (2 * Math.PI) / original;
      if (wavelength < 8192 / 4) {
        kinds.add("short");
        expect(frequency).toBe(original);
      } else if (wavelength > 8192) {
        kinds.add("long");
        expect(frequency).toBe(original / 8);
      } else {
        kinds.add("between");
        expect(frequency).toBeGreaterThan(original / 8);
        expect(frequency).toBeLessThan(original);
      }
    });
    expect(kinds.size).toBe(3);
    // 8192 / wavelength = 2.5 is halfway from 1 to 4: half of each.
    const theta = (8192 / (2 * Math.PI * 2.5)) ** 2;
    const [, middle] = ropeFrequencies(4, { theta, scaling });
    expect(middle).toBeCloseTo((0.5 / 8 + 0.5) * theta ** -0.5, 15);
  });
});
