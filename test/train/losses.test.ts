/** @file The logistic loss on the host against its reference; its slope against finite differences. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { logistic } from "../../src/train/losses/logistic.ts";
import { finiteDifferences } from "../reference/dpo.ts";
import { preferenceLoss } from "../reference/preference-loss.ts";

const label = fc.double({ min: 0, max: 1, noNaN: true });

it("equals the reference, and exchanging the sides exchanges the label", () => {
  fc.assert(
    fc.property(fc.double({ min: -300, max: 300, noNaN: true }), label, (d, p) => {
      const { loss, chosenGradient } = preferenceLoss([d], [0], [0], 0, [p]);
      expect(Math.abs(logistic.ofPair(d, p) - loss)).toBeLessThanOrEqual(1e-13 * (1 + loss));
      expect(Math.abs(logistic.slope(d, p) - chosenGradient[0]!)).toBeLessThanOrEqual(1e-15);
      expect(logistic.ofPair(-d, 1 - p)).toBeCloseTo(logistic.ofPair(d, p), 10);
    }),
  );
  expect(logistic.ofPair(0, 0.3)).toBeCloseTo(Math.LN2, 15);
});

it("the slope is the derivative", () => {
  fc.assert(
    fc.property(fc.double({ min: -20, max: 20, noNaN: true }), label, (d, p) => {
      const [slope = Number.NaN] = finiteDifferences(([at = 0]) => logistic.ofPair(at, p), [d]);
      expect(Math.abs(logistic.slope(d, p) - slope)).toBeLessThan(1e-8);
    }),
  );
});
