/** @file Learning rates against transformers' numbers and formulas. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { learningRate, schedules } from "../../src/train/schedule.ts";
import { goldenJson } from "../reference/goldens.ts";
import { scheduleFactor } from "../reference/optimizer.ts";

it("gives transformers' rates for the golden run", () => {
  const { trajectories } = goldenJson<{
    trajectories: Record<string, { lr: number; lr_of_step: readonly number[] }>;
  }>("adamw-head", "manifest.json");
  for (const { lr, lr_of_step } of Object.values(trajectories)) {
    lr_of_step.forEach((expected, step) => {
      expect(learningRate("linear", step, 10, 3, lr)).toBeCloseTo(expected, 15);
    });
  }
});

it("equals the formulas, also where the warm-up takes every step", () => {
  const input = fc.tuple(fc.constantFrom(...schedules), fc.nat(60), fc.nat(50), fc.nat(60));
  fc.assert(
    fc.property(input, ([name, step, total, warmup]) => {
      const rate = learningRate(name, step, total, warmup, 0.02);
      expect(rate).toBeCloseTo(0.02 * scheduleFactor(name, step, warmup, total), 15);
      expect(rate).toBeGreaterThanOrEqual(0);
    }),
  );
});

it("starts at 0 with a warm-up and at the full rate without one", () => {
  for (const name of schedules) {
    expect(learningRate(name, 0, 100, 5, 0.1)).toBe(0);
    expect(learningRate(name, 5, 100, 5, 0.1)).toBe(0.1);
    expect(learningRate(name, 0, 100, 0, 0.1)).toBe(0.1);
  }
  expect(learningRate("linear", 100, 100, 5, 0.1)).toBe(0);
  expect(learningRate("cosine", 100, 100, 5, 0.1)).toBeCloseTo(0, 15);
});
