/** @file The pairwise logistic loss against float64 and the golden table; its metrics; rewards that are not finite. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metricColumns, pairwiseLogistic } from "../../src/kernels/pairwise-logistic.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { goldenTensors } from "../reference/goldens.ts";
import { preferenceLoss } from "../reference/preference-loss.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

async function run(chosen: Float32Array, rejected: Float32Array, margins: Float32Array, centering = 0) {
  using _ = gpu().scope();
  const metrics = createTensor(gpu(), 3, metricColumns.count, "metrics");
  const rewards = uploadTensor(gpu(), Float32Array.of(...chosen, ...rejected), 1, "rewards");
  const gradient = pairwiseLogistic(gpu(), rewards, {
    margins: uploadTensor(gpu(), margins, 1, "margins"),
    centering,
    metrics,
    row: 1,
  });
  const raw = new Float32Array(await gpu().read(gradient.buffer, 0, gradient.rows * gradient.rowBytes));
  raw.forEach((v, i) => {
    if (i % 4 !== 0) expect(v, "padding is 0").toBe(0);
  });
  const row = (await readTensor(gpu(), metrics)).subarray(metricColumns.count, 2 * metricColumns.count);
  const at = (column: Exclude<keyof typeof metricColumns, "count">) =>
    row[metricColumns[column]] ?? Number.NaN;
  return { gradient: await readTensor(gpu(), gradient), at };
}

it("equals its float64 reference, its gradient too, and the metrics' definitions", async () => {
  const input = fc.record({
    n: fc.integer({ min: 1, max: 150 }),
    scale: fc.constantFrom(0.01, 1, 30),
    centering: fc.constantFrom(0, 0.05),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ n, scale, centering, seed }) => {
      const chosen = normals(seed, n, scale);
      const rejected = normals(seed + 1, n, scale).map((r, i) => (i % 7 === 3 ? (chosen[i] ?? 0) : r));
      const margins = normals(seed + 2, n);
      const { gradient, at } = await run(chosen, rejected, margins, centering);
      const expected = preferenceLoss(chosen, rejected, margins, centering);
      const pairs = [...chosen].map((w, i) => [w, rejected[i] ?? Number.NaN] as const);
      const mean = (f: (w: number, l: number) => number) =>
        pairs.reduce((sum, [w, l]) => sum + f(w, l), 0) / n;
      expect(relativeError([at("loss")], [expected.loss])).toBeLessThan(1e-5);
      expect(
        relativeError(gradient, [...expected.chosenGradient, ...expected.rejectedGradient]),
      ).toBeLessThan(1e-5);
      expect(at("accuracy")).toBeCloseTo(
        mean((w, l) => (w > l ? 1 : 0)),
        6,
      );
      expect(at("ties")).toBeCloseTo(
        mean((w, l) => (w === l ? 1 : 0)),
        6,
      );
      expect(Math.abs(at("margin") - mean((w, l) => w - l))).toBeLessThan(1e-5 * scale);
      expect(Math.abs(at("meanReward") - mean((w, l) => (w + l) / 2))).toBeLessThan(1e-5 * scale);
      expect(at("minReward")).toBe(Math.min(...chosen, ...rejected));
      expect(at("maxReward")).toBe(Math.max(...chosen, ...rejected));
    }),
    { numRuns: 20 },
  );
});

it("equals the golden table from -300 to 300, pair by pair", async () => {
  const golden = goldenTensors("bt-table");
  const differences = golden.get("reward_difference").data;
  const losses = golden.get("loss.f64").data;
  const grads = golden.get("grad.f64").data;
  for (let i = 0; i < differences.length; i++) {
    const d = differences[i] ?? Number.NaN;
    const { gradient, at } = await run(Float32Array.of(d), Float32Array.of(0), Float32Array.of(0));
    const bound = (value: number) => (d <= 80 ? 1e-5 * Math.abs(value) : 5e-6);
    expect(Math.abs(at("loss") - (losses[i] ?? Number.NaN)), `loss at ${d}`).toBeLessThanOrEqual(
      bound(losses[i] ?? 0),
    );
    const g = grads[i] ?? Number.NaN;
    expect(Math.abs((gradient[0] ?? Number.NaN) - g), `gradient at ${d}`).toBeLessThanOrEqual(bound(g));
    expect((gradient[0] ?? Number.NaN) + (gradient[1] ?? Number.NaN), "the sides pull apart alike").toBe(0);
  }
});

it("zero rewards give exactly ln 2 and only ties", async () => {
  const zeros = new Float32Array(5);
  const { at } = await run(zeros, zeros, zeros);
  expect(at("loss")).toBe(Math.fround(Math.LN2));
  expect([at("accuracy"), at("ties")]).toEqual([0, 1]);
});

it("a reward that is not finite reaches the loss, its gradients and the extremes", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const side of [0, 1]) {
      const rewards = [normals(1, 70), normals(2, 70)] as const;
      rewards[side === 0 ? 0 : 1][66] = bad;
      const { gradient, at } = await run(rewards[0], rewards[1], new Float32Array(70));
      const finite = [
        at("loss"),
        at("meanReward"),
        at("minReward"),
        at("maxReward"),
        gradient[66],
        gradient[136],
      ];
      expect(finite.some(Number.isFinite), `${bad} on side ${side}: ${finite}`).toBe(false);
      expect([...gradient].filter((g) => !Number.isFinite(g))).toHaveLength(2);
    }
  }
});
