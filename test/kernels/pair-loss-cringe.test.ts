/** @file The pairwise CRINGE loss against float64: values, gradients by finite differences, metrics, the host's form; NaN. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { cringePairs } from "../../src/kernels/pair-loss-cringe.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { cringe } from "../../src/train/losses/cringe.ts";
import { defaultConstants } from "../../src/train/losses/loss.ts";
import { sigmoid } from "../reference/pointwise.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

interface Constants {
  readonly weight: number;
  readonly margin: number;
  readonly temperature: number;
}

/** g (-r_w + α c) of one pair, from the equation. */
function loss(w: number, l: number, c: number, { weight, margin, temperature }: Constants): number {
  return sigmoid((margin - (w - l)) / temperature) * (weight * c - w);
}

async function run(scores: Float32Array, constants: Constants, total?: number) {
  using _ = gpu().scope();
  const metrics = uploadTensor(
    gpu(),
    new Float32Array(2 * metricColumns.count),
    metricColumns.count,
    "metrics",
  );
  const targets = { metrics, row: 1, ...(total === undefined ? {} : { total }) };
  const gradient = cringePairs(gpu(), uploadTensor(gpu(), scores, 1, "scores"), targets, constants);
  return {
    gradient: await readTensor(gpu(), gradient),
    metrics: (await readTensor(gpu(), metrics)).subarray(metricColumns.count),
  };
}

it("equals float64, and its gradient the finite differences", async () => {
  const shapes = fc.record({
    pairs: fc.integer({ min: 1, max: 150 }),
    weight: fc.constantFrom(0, 0.5, 2),
    margin: fc.constantFrom(-3, 0, 5),
    temperature: fc.constantFrom(0.5, 1, 10),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ pairs, seed, ...constants }) => {
      const scores = normals(seed, 3 * pairs, 4).map((z, i) => (i < 2 * pairs ? -Math.abs(z) : Math.abs(z)));
      const { gradient, metrics } = await run(scores, constants, 2 * pairs);
      const of = (i: number, moved: readonly number[] = [0, 0, 0]) => {
        const at = (part: number) => scores[part * pairs + i]! + moved[part]!;
        return loss(at(0), at(1), at(2), constants);
      };
      const h = 1e-5;
      const expected = [0, 1, 2].flatMap((part) =>
        Array.from({ length: pairs }, (_, i) => {
          const step = [0, 1, 2].map((p) => (p === part ? h : 0));
          return (
            (of(i, step) -
              of(
                i,
                step.map((s) => -s),
              )) /
            (2 * h) /
            (2 * pairs)
          );
        }),
      );
      expect(relativeError(gradient, expected)).toBeLessThan(1e-5);
      const values = Array.from({ length: pairs }, (_, i) => of(i));
      const mean = values.reduce((sum, v) => sum + v, 0) / pairs;
      const size = values.reduce((sum, v) => sum + Math.abs(v), 0) / pairs;
      expect(Math.abs(metrics[metricColumns.loss]! - mean)).toBeLessThan(1e-5 * (size + 1));
      const right = values.filter((_, i) => scores[i]! > scores[pairs + i]!).length / pairs;
      expect(metrics[metricColumns.accuracy]).toBeCloseTo(right, 5);
    }),
    { numRuns: 15 },
  );
});

it("the host's form is the same without a penalty", () => {
  const constants = { ...defaultConstants, cringeWeight: 3, cringeMargin: 1, cringeTemperature: 2 };
  const of = (w: number, l: number) => loss(w, l, 0, { weight: 3, margin: 1, temperature: 2 });
  for (const [w, l] of [
    [-1, -2],
    [-5, -1],
    [-3, -3],
  ] as const) {
    const found = cringe.at(w, l, { margin: 0, label: 1 }, constants);
    expect(found.loss).toBeCloseTo(of(w, l), 12);
    expect(found.chosen).toBeCloseTo((of(w + 1e-5, l) - of(w - 1e-5, l)) / 2e-5, 7);
    expect(found.rejected).toBeCloseTo((of(w, l + 1e-5) - of(w, l - 1e-5)) / 2e-5, 7);
  }
});

it("a number that is not finite comes through for its own pair", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { gradient, metrics } = await run(Float32Array.of(-1, -2, -2, -1, bad, 1), {
      weight: 1,
      margin: 0,
      temperature: 1,
    });
    expect([...gradient].map(Number.isFinite)).toEqual([false, true, false, true, false, true]);
    expect(Number.isFinite(metrics[metricColumns.loss])).toBe(false);
  }
});
