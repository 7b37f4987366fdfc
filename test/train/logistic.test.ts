/** @file The pairwise logistic loss against float64 and the golden table; its metrics; rewards that are not finite. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { logistic } from "../../src/train/losses/logistic.ts";
import { unlabelled } from "../kernels/unlabelled-loss.ts";
import { goldenTensors } from "../reference/goldens.ts";
import { preferenceLoss } from "../reference/preference-loss.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();
const softLabels = [0.5, 0.9, 0, 0.25, 1, 0.01];
const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
const distance = (a: ArrayLike<number>, b: readonly number[]) => Math.hypot(...b.map((v, i) => v - a[i]!));

interface Targets {
  readonly margins?: Float32Array;
  /** Absent: 1. */
  readonly labels?: Float32Array;
  readonly centering?: number;
  readonly total?: number;
}

async function run(chosen: Float32Array, rejected: Float32Array, targets: Targets = {}) {
  const { centering = 0, total, margins, labels } = targets;
  using _ = gpu().scope();
  const metrics = createTensor(gpu(), 3, metricColumns.count, "metrics");
  const rewards = uploadTensor(gpu(), Float32Array.of(...chosen, ...rejected), 1, "rewards");
  const gradient = logistic.record(gpu(), rewards, {
    margins: uploadTensor(gpu(), margins ?? new Float32Array(chosen.length), 1, "margins"),
    labels: uploadTensor(gpu(), labels ?? new Float32Array(chosen.length).fill(1), 1, "labels"),
    centering,
    ...(total === undefined ? {} : { total }),
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
    extra: fc.constantFrom(0, 7),
    soft: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ n, scale, centering, extra, soft, seed }) => {
      const chosen = normals(seed, n, scale);
      const rejected = normals(seed + 1, n, scale).map((r, i) => (i % 7 === 3 ? (chosen[i] ?? 0) : r));
      const margins = normals(seed + 2, n);
      const labels = Float32Array.from({ length: n }, (_, i) => (soft ? softLabels[i % 6]! : 1));
      const total = n + extra;
      const { gradient, at } = await run(chosen, rejected, { margins, labels, centering, total });
      const expected = preferenceLoss(chosen, rejected, margins, centering, labels);
      const gradients = [...expected.chosenGradient, ...expected.rejectedGradient];
      const pairs = [...chosen].map((w, i) => [w, rejected[i] ?? Number.NaN] as const);
      const mean = (f: (w: number, l: number) => number) =>
        pairs.reduce((sum, [w, l]) => sum + f(w, l), 0) / n;
      expect(relativeError([at("loss")], [expected.loss])).toBeLessThan(1e-5);
      // p - sigmoid(z) may cancel to nothing; it is right to rounding of the parts then.
      const norm = Math.hypot(...gradients, Math.sqrt(n) / n);
      const scaled = gradients.map((g) => (g * n) / total);
      expect(distance(gradient, scaled)).toBeLessThan(1e-6 * norm);
      const right = pairs.map(([w, l], i) => (labels[i]! > 0.5 ? w > l : labels[i]! < 0.5 && l > w));
      const decided = labels.filter((p) => p !== 0.5).length;
      expect(at("accuracy")).toBeCloseTo(right.filter(Boolean).length / Math.max(decided, 1), 6);
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
    const { gradient, at } = await run(Float32Array.of(d), Float32Array.of(0));
    const bound = (value: number) => (d <= 80 ? 1e-5 * Math.abs(value) : 5e-6);
    expect(Math.abs(at("loss") - (losses[i] ?? Number.NaN)), `loss at ${d}`).toBeLessThanOrEqual(
      bound(losses[i] ?? 0),
    );
    const g = grads[i] ?? Number.NaN;
    expect(Math.abs((gradient[0] ?? Number.NaN) - g), `gradient at ${d}`).toBeLessThanOrEqual(bound(g));
    expect((gradient[0] ?? Number.NaN) + (gradient[1] ?? Number.NaN), "the sides pull apart alike").toBe(0);
  }
});

it("label 1 gives the bits of the loss without labels", async () => {
  const differences = Float32Array.from(goldenTensors("bt-table").get("reward_difference").data);
  const d = Float32Array.of(...differences, ...normals(4, 300, 2));
  for (const centering of [0, 0.05]) {
    const plain = await unlabelled(gpu(), d, centering);
    const { gradient } = await run(d, new Float32Array(d.length), { centering, total: 1 });
    expect(bits(gradient.slice(0, d.length))).toEqual(bits(plain.gradient));
    for (const [i, value] of differences.entries()) {
      const { at } = await run(Float32Array.of(value), Float32Array.of(0), { centering });
      expect(at("loss"), `loss at ${value}`).toBe(plain.loss[i]);
    }
  }
});

it("exchanged sides with label 1 - p are the same pair, bit for bit", async () => {
  const [chosen, rejected] = [normals(6, 90, 3), normals(7, 90, 3)];
  // 1 - p is exact for these.
  const labels = Float32Array.from(chosen, (_, i) => [0.75, 0.5, 0, 0.125, 1][i % 5]!);
  const there = await run(chosen, rejected, { labels, centering: 0.1 });
  const back = await run(rejected, chosen, { labels: labels.map((p) => 1 - p), centering: 0.1 });
  expect(there.at("loss")).toBe(back.at("loss"));
  expect(there.at("accuracy")).toBe(back.at("accuracy"));
  expect(bits(there.gradient)).toEqual(
    bits(Float32Array.of(...back.gradient.slice(90), ...back.gradient.slice(0, 90))),
  );
});

it("soft labels far out: p z on the wrong side, (1 - p) z on the right one", async () => {
  for (const z of [-300, -120, 120, 300]) {
    for (const p of softLabels) {
      const { gradient, at } = await run(Float32Array.of(z), Float32Array.of(0), {
        labels: Float32Array.of(p),
      });
      const { loss, chosenGradient } = preferenceLoss([z], [0], [0], 0, [Math.fround(p)]);
      expect(Math.abs(at("loss") - loss), `loss of p = ${p} at ${z}`).toBeLessThanOrEqual(
        1e-6 * loss + 1e-37,
      );
      expect(Math.abs(gradient[0]! - chosenGradient[0]!)).toBeLessThanOrEqual(1e-7);
    }
  }
});

it("micro-batches with one total add up to the whole batch's gradient", async () => {
  const [chosen, rejected, margins] = [normals(8, 30), normals(9, 30), normals(10, 30)];
  const labels = Float32Array.from(chosen, (_, i) => softLabels[i % 6]!);
  const whole = await run(chosen, rejected, { margins, labels, centering: 0.1 });
  const part = (from: number, to?: number) =>
    run(chosen.slice(from, to), rejected.slice(from, to), {
      margins: margins.slice(from, to),
      labels: labels.slice(from, to),
      centering: 0.1,
      total: 30,
    });
  const parts = [await part(0, 8), await part(8)];
  const sides = [0, 1].flatMap((side) =>
    parts.flatMap(({ gradient }) => [
      ...gradient.slice((side * gradient.length) / 2, ((side + 1) * gradient.length) / 2),
    ]),
  );
  expect(sides).toEqual([...whole.gradient]);
  // The metrics stay means over a call's own pairs.
  expect((8 * parts[0]!.at("loss") + 22 * parts[1]!.at("loss")) / 30).toBeCloseTo(whole.at("loss"), 5);
});

it("a label that is NaN does not pass for a right answer", async () => {
  const { gradient, at } = await run(Float32Array.of(1), Float32Array.of(0), {
    labels: Float32Array.of(Number.NaN),
  });
  expect([at("loss"), ...gradient].some(Number.isFinite)).toBe(false);
});

it("zero rewards give exactly ln 2 and only ties", async () => {
  const zeros = new Float32Array(5);
  for (const labels of [[1, 1, 1, 1, 1], softLabels.slice(0, 5), [0.5, 0.5, 0.5, 0.5, 0.5]]) {
    const { at } = await run(zeros, zeros, { labels: Float32Array.from(labels) });
    expect(at("loss")).toBe(Math.fround(Math.LN2));
    expect([at("accuracy"), at("ties")]).toEqual([0, 1]);
  }
});

it("a reward that is not finite reaches the loss, its gradients and the extremes", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const side of [0, 1]) {
      const rewards = [normals(1, 70), normals(2, 70)] as const;
      const labels = Float32Array.from({ length: 70 }, (_, i) => softLabels[(i + side) % 6]!);
      rewards[side === 0 ? 0 : 1][66] = bad;
      const { gradient, at } = await run(rewards[0], rewards[1], { labels });
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
