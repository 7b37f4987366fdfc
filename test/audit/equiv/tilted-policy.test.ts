/** @file The head as a policy over candidates, and the comparison that must notice when a loss is another one. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { allPairs, compareInFloat64 } from "../../../src/audit/equiv/float64.ts";
import { tiltedInFloat64 } from "../../../src/audit/equiv/independent.ts";
import { tilt } from "../../../src/audit/equiv/tilted-policy.ts";
import { logistic } from "../../../src/train/losses/logistic.ts";
import type { DifferenceLoss } from "../../../src/train/losses/loss.ts";
import { differenceObjective } from "../../../src/train/objectives.ts";
import { finiteDifferences } from "../../reference/dpo.ts";
import { normals } from "../../support/numbers.ts";

const width = 4;

/** Four replies to each prompt, with the rewards of `head`. */
function prompts(seed: number, head: readonly number[], count = 3) {
  return Array.from({ length: count }, (_, x) =>
    Array.from({ length: 4 }, (_, k) => {
      const features = normals(seed + 10 * x + k, width);
      const reward = features.reduce((sum, h, j) => sum + h * head[j]!, 0);
      return { logReference: -100 - 50 * Math.abs(normals(seed + 5 * x + k, 1)[0]!), reward, features };
    }),
  );
}

it("is normalised over the candidates, and its scores are the gradient of its log-probabilities", () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(0.01, 0.1, 1), (seed, beta) => {
      const head = [...normals(seed + 99, width)];
      const [replies] = prompts(seed, head);
      const { logProbs, scores, unnormalised } = tilt(replies!, beta);
      expect(logProbs.reduce((sum, v) => sum + Math.exp(v), 0)).toBeCloseTo(1, 10);
      expect(unnormalised[0]! - logProbs[0]!).toBeCloseTo(unnormalised[3]! - logProbs[3]!, 8);
      for (const k of [0, 3]) {
        const expected = finiteDifferences((at) => tilt(prompts(seed, at)[0]!, beta).logProbs[k]!, head);
        for (const [j, g] of expected.entries())
          expect(Math.abs(scores[k]![j]! - g)).toBeLessThan(1e-4 * (1 + Math.hypot(...expected)));
      }
    }),
    { numRuns: 30 },
  );
});

it("every pair of candidates once", () => {
  expect(allPairs([["a", "b", "c"], ["d"], ["e", "f"]])).toEqual([
    { x: 0, w: 0, l: 1 },
    { x: 0, w: 0, l: 2 },
    { x: 0, w: 1, l: 2 },
    { x: 2, w: 0, l: 1 },
  ]);
});

it("the claims hold for any head, and fail for a loss or a slope that is a little another one", () => {
  const objective = differenceObjective({ objective: "dpo", reward: undefined, centerRewardsCoefficient: 0 });
  const set = prompts(1, [...normals(2, width)]);
  const passes = (loss: DifferenceLoss) =>
    tiltedInFloat64(set, { ...objective, loss }).map((row) => row.pass);
  expect(passes(logistic)).toEqual(new Array(9).fill(true));
  const lossOff = { ...logistic, ofPair: (d: number, p: number) => logistic.ofPair(d, p) * (1 + 1e-9) };
  expect(passes(lossOff)).toEqual([0, 1, 2].flatMap(() => [false, true, false]));
  const slopeOff = { ...logistic, slope: (d: number, p: number) => logistic.slope(d, p) * (1 + 1e-9) };
  expect(passes(slopeOff)).toEqual([0, 1, 2].flatMap(() => [true, false, true]));
  expect(compareInFloat64(set, logistic, 0.1).loss).toBeLessThan(1e-13);
});
