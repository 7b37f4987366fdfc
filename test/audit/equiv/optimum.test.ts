/** @file Tables of preferences, their condition for an optimum, and both fits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  exactLabels,
  isStronglyConnected,
  sampledCounts,
} from "../../../src/audit/equiv/optimum/comparisons.ts";
import { fitPolicy, fitRewards } from "../../../src/audit/equiv/optimum/fit-host.ts";
import { minimise } from "../../../src/audit/equiv/optimum/newton.ts";
import { Random } from "../../../src/data/random.ts";
import { RmtrainError } from "../../../src/errors.ts";
import { logistic } from "../../../src/train/losses/logistic.ts";
import { finiteDifferences, logSoftmax, tableLoss } from "../../reference/dpo.ts";
import { preferenceLoss } from "../../reference/preference-loss.ts";
import { normals } from "../../support/numbers.ts";

describe("comparisons", () => {
  it("strongly connected: every response reaches every other one (Warshall)", () => {
    const graph = fc.integer({ min: 1, max: 6 }).chain((n) =>
      fc.array(fc.array(fc.constantFrom(0, 0, 1), { minLength: n, maxLength: n }), {
        minLength: n,
        maxLength: n,
      }),
    );
    fc.assert(
      fc.property(graph, (wins) => {
        const reach = wins.map((row, i) => row.map((w, j) => i === j || w > 0));
        for (const k of wins.keys())
          for (const i of wins.keys())
            for (const j of wins.keys()) if (reach[i]![k] && reach[k]![j]) reach[i]![j] = true;
        expect(isStronglyConnected(wins)).toBe(reach.every((row) => row.every(Boolean)));
      }),
    );
  });

  it("exact labels are Bradley-Terry's, both orders together 1", () => {
    const [first, second] = exactLabels([1, -1]);
    expect(first).toEqual([0, 1 / (1 + Math.exp(-2))]);
    expect(first![1]! + second![0]!).toBeCloseTo(1, 15);
  });

  it("counts are whole, as many as asked for, follow the rewards, and are never separable", () => {
    const wins = sampledCounts([2, 0, -2], 3000, new Random(3, 9));
    const total = wins.flat().reduce((a, b) => a + b, 0);
    expect([total, wins.flat().every(Number.isInteger), isStronglyConnected(wins)]).toEqual([
      3000,
      true,
      true,
    ]);
    expect(wins[0]![1]! / (wins[0]![1]! + wins[1]![0]!)).toBeCloseTo(1 / (1 + Math.exp(-2)), 1);
    // One comparison can't connect three responses; two hundred can't bring an upset of 40 nats.
    for (const [rewards, count] of [
      [[0, 0, 0], 1],
      [[40, 0, -40], 200],
    ] as const)
      expect(() => sampledCounts(rewards, count, new Random(0, 9))).toThrow(RmtrainError);
  });
});

it("Newton: finds a minimum, and says where there is none", () => {
  const softplus = (x: readonly number[]) => {
    const s = 1 / (1 + Math.exp(-x[0]!));
    return { value: Math.log1p(Math.exp(x[0]!)), gradient: [s], hessian: [[s * (1 - s) - 1]] };
  };
  const bowl = (x: readonly number[]) => ({
    value: (x[0]! - 3) ** 2,
    gradient: [2 * (x[0]! - 3)],
    hessian: [[1]],
  });
  expect(minimise(bowl, [100], 1e-10).x[0]).toBeCloseTo(3, 9);
  expect(() => minimise(softplus, [0], 1e-300)).toThrow(/no minimum found: the gradient's norm/);
});

describe("fits", () => {
  const tables = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 2, max: 6 }),
    beta: fc.constantFrom(0.1, 0.5, 2),
    sampled: fc.boolean(),
  });
  const winsOf = (seed: number, n: number, sampled: boolean) => {
    const rewards = [...normals(seed, n)];
    return sampled ? sampledCounts(rewards, 40 * n, new Random(seed, 9)) : exactLabels(rewards);
  };

  it("rewards: no finite difference of the trainer's loss is left", () => {
    fc.assert(
      fc.property(tables, ({ seed, n, sampled }) => {
        const wins = winsOf(seed, n, sampled);
        const total = (r: readonly number[]) => {
          let sum = 0;
          for (const [i, row] of wins.entries())
            for (const [j, w] of row.entries()) sum += w * preferenceLoss([r[i]!], [r[j]!]).loss;
          return sum - wins.reduce((s, row, i) => s + row[i]! * Math.LN2, 0);
        };
        const { x, gradientNorm } = fitRewards(wins, logistic);
        expect(gradientNorm).toBeLessThan(1e-10);
        expect(Math.hypot(...finiteDifferences(total, x))).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  it("policies: normalised, no finite difference of DPO's expected loss is left, the same policy as the rewards'", () => {
    fc.assert(
      fc.property(tables, ({ seed, n, beta, sampled }) => {
        const wins = winsOf(seed, n, sampled);
        const reference = logSoftmax([...normals(seed + 1, n)]);
        const { x, logProbs, gradientNorm } = fitPolicy(wins, reference, beta);
        expect(gradientNorm).toBeLessThan(1e-10);
        expect(
          Math.hypot(...finiteDifferences((at) => tableLoss(at, reference, wins, beta), x)),
        ).toBeLessThan(1e-5);
        expect(logProbs.reduce((sum, v) => sum + Math.exp(v), 0)).toBeCloseTo(1, 12);
        const rewards = fitRewards(wins, logistic).x;
        const image = logSoftmax(rewards.map((r, k) => reference[k]! + r / beta));
        for (const [k, v] of image.entries())
          expect(Math.abs(Math.exp(v) - Math.exp(logProbs[k]!))).toBeLessThan(1e-6);
      }),
      { numRuns: 30 },
    );
  });
});
