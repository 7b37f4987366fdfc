/** @file KTO's loss on the device and on the host against the paper's value function in float64; its point of reference. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { mismatchMean } from "../../src/kernels/row-loss.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { kto } from "../../src/train/losses/kto.ts";
import { defaultConstants } from "../../src/train/losses/loss.ts";
import { finiteDifferences } from "../reference/finite-differences.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();
const sigma = (x: number) => 1 / (1 + Math.exp(-x));

/** λ_y - v(x, y), eq. 7 and 8 of the paper, with r = β ρ and z = β z_0. */
function paper(r: number, z: number, desirable: boolean, weights: readonly [number, number]): number {
  const [good, bad] = weights;
  return desirable ? good - good * sigma(r - z) : bad - bad * sigma(z - r);
}

async function onDevice(
  rewards: readonly number[],
  labels: readonly number[],
  z: number,
  weights: readonly [number, number] = [1, 1],
  total?: number,
) {
  using _ = gpu().scope();
  const metrics = createTensor(gpu(), 2, metricColumns.count, "metrics");
  const upload = (values: readonly number[], label: string) =>
    uploadTensor(gpu(), Float32Array.from(values), 1, label);
  const targets = {
    labels: upload(labels, "labels"),
    reference: upload([z], "z"),
    metrics,
    row: 1,
    ...(total === undefined ? {} : { total }),
  };
  const constants = { ...defaultConstants, desirableWeight: weights[0], undesirableWeight: weights[1] };
  const gradient = await readTensor(gpu(), kto.record(gpu(), upload(rewards, "rewards"), targets, constants));
  const row = (await readTensor(gpu(), metrics)).subarray(metricColumns.count);
  const at = (column: Exclude<keyof typeof metricColumns, "count">) => row[metricColumns[column]]!;
  return { gradient, at, constants };
}

it("equals the paper's formula, its gradient finite differences of it, and the metrics their definitions", async () => {
  const input = fc.record({
    n: fc.integer({ min: 1, max: 150 }),
    scale: fc.constantFrom(0.01, 1, 30),
    z: fc.constantFrom(0, 0.5, 3),
    extra: fc.constantFrom(0, 7),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ n, scale, z, extra, seed }) => {
      // Some rewards lie on the point of reference.
      const rewards = [...normals(seed, n, scale)].map((r, i) => (i % 7 === 3 ? z : r));
      const labels = [...normals(seed + 1, n)].map((v) => Number(v > 0));
      const weights = [Math.fround(1.5), Math.fround(0.7)] as const;
      const { gradient, at, constants } = await onDevice(rewards, labels, z, weights, n + extra);
      const values = rewards.map((r, i) => paper(r, z, labels[i] === 1, weights));
      expect(Math.abs(at("loss") - values.reduce((a, b) => a + b, 0) / n)).toBeLessThan(1e-6);
      const slopes = rewards.map(
        (r, i) => finiteDifferences(([x = 0]) => paper(x, z, labels[i] === 1, weights), [r])[0]!,
      );
      const norm = Math.hypot(...slopes, 0.01);
      const away = Math.hypot(...slopes.map((s, i) => s - gradient[i]! * (n + extra)));
      expect(away).toBeLessThan(1e-5 * norm);
      for (const [i, r] of rewards.entries()) {
        const host = kto.at(r, z, labels[i]!, constants);
        expect(host.loss).toBeCloseTo(values[i]!, 12);
        expect(host.slope).toBeCloseTo(slopes[i]!, 7);
      }
      const right = rewards.filter((r, i) => (labels[i] === 1 ? r > z : r < z)).length;
      expect(at("accuracy")).toBeCloseTo(right / n, 6);
      expect(at("ties")).toBeCloseTo(rewards.filter((r) => r === z).length / n, 6);
      const mean = (label: number) => {
        const some = rewards.filter((_, i) => labels[i] === label);
        return some.reduce((a, b) => a + b, 0) / some.length;
      };
      const margin = Number.isNaN(mean(1) - mean(0)) ? 0 : mean(1) - mean(0);
      expect(Math.abs(at("margin") - margin)).toBeLessThan(1e-5 * (1 + scale));
      expect(at("minReward")).toBe(Math.fround(Math.min(...rewards)));
      expect(at("maxReward")).toBe(Math.fround(Math.max(...rewards)));
    }),
    { numRuns: 15 },
  );
});

it("far out: a desirable reply costs nothing above z and its whole weight below, an undesirable one the reverse", async () => {
  for (const r of [-300, 300]) {
    const { gradient, at } = await onDevice([r, r], [1, 0], 1, [2, 3]);
    expect(at("loss")).toBeCloseTo(r > 0 ? 3 / 2 : 2 / 2, 6);
    expect([...gradient].every((g) => Math.abs(g) < 1e-30)).toBe(true);
  }
  const { at } = await onDevice([1, 1], [1, 0], 1, [2, 3]);
  expect(at("loss"), "at z half of the weights").toBeCloseTo((1 + 1.5) / 2, 6);
});

it("a reward that is not finite reaches its gradient, the loss and the extremes; so does z", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const one = await onDevice([1, bad, 2], [1, 0, 1], 0.5);
    expect([one.at("loss"), one.at("minReward"), one.at("maxReward")].some(Number.isFinite)).toBe(false);
    expect([...one.gradient].map(Number.isFinite)).toEqual([true, false, true]);
    const all = await onDevice([1, 2], [1, 0], bad);
    expect([all.at("loss"), ...all.gradient].some(Number.isFinite)).toBe(false);
  }
});

it("z is the mean of the mismatched rewards, at least 0, in one go or several; what is not finite stays so", async () => {
  const mean = async (...parts: readonly (readonly number[])[]) => {
    using _ = gpu().scope();
    const tensors = parts.map((part) => uploadTensor(gpu(), Float32Array.from(part), 1, "rewards"));
    return (await readTensor(gpu(), mismatchMean(gpu(), tensors)))[0]!;
  };
  expect(await mean([1, 2, 6])).toBe(3);
  expect(await mean([1], [2, 6])).toBe(3);
  expect(await mean([-4, 1])).toBe(0);
  expect(await mean([-4], [9], [1])).toBe(2);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    expect(Number.isFinite(await mean([1, bad], [2]))).toBe(false);
});
