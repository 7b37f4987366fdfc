/** @file Implicit rewards and their backward against float64 and its finite differences; rewards of the reference itself. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import {
  implicitReward,
  implicitRewardGradient,
  implicitRewardKernels,
} from "../../src/kernels/implicit-reward.ts";
import { weightedSums } from "../../src/kernels/weighted-sums.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { implicitReward as reference } from "../reference/implicit-reward.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();

const column = (values: Float32Array, cols = 1) => uploadTensor(gpu(), values, cols, "values");

const cases = fc.record({
  n: fc.integer({ min: 1, max: 150 }),
  odds: fc.constantFrom(undefined, 0.1, 1),
  seed: fc.nat(),
});

it("rewards and gradients equal float64", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ n, odds, seed }) => {
      using _ = gpu().scope();
      // Log-probabilities from -1e-4 to -3000; every odd form is of at least one token.
      const logps = normals(seed, n, 2).map((z) => -Math.exp(2 * z));
      const tokens = normals(seed + 1, n, 20).map((z) => 1 + Math.floor(Math.abs(z)));
      const references = normals(seed + 2, n, 2).map((z) => -Math.exp(2 * z));
      const nll = normals(seed + 3, n);
      const dr = normals(seed + 4, n);
      const rows = Array.from({ length: n }, (_, i) =>
        odds === undefined ? [0.1 / tokens[i]!, references[i]!, nll[i]!] : [1 / tokens[i]!, 0, nll[i]!],
      );
      const terms = Float32Array.from(rows.flat());
      const on = { logps: column(logps), terms: column(terms, 3) };
      const rewards = await readTensor(gpu(), implicitReward(gpu(), on.logps, on.terms, { oddsBeta: odds }));
      const gradient = await readTensor(
        gpu(),
        implicitRewardGradient(gpu(), column(dr), on.logps, on.terms, { oddsBeta: odds }),
      );
      for (let i = 0; i < n; i++) {
        const at = (logp: number) =>
          reference(logp, { scale: terms[3 * i]!, reference: terms[3 * i + 1]!, odds });
        const logp = logps[i]!;
        const expected = at(logp);
        const size = Math.abs(expected) + terms[3 * i]! * (Math.abs(logp) + Math.abs(terms[3 * i + 1]!));
        expect(Math.abs(rewards[i]! - expected)).toBeLessThan(2e-6 * (size + (odds ?? 0)));
        // Of the larger of both, whose difference would lose what a smaller step changes.
        const h = 1e-5 * Math.max(Math.abs(logp), Math.abs(terms[3 * i + 1]!));
        const slope = (at(logp + h) - at(logp - h)) / (2 * h);
        const truth = dr[i]! * slope + terms[3 * i + 2]!;
        expect(Math.abs(gradient[i]! - truth)).toBeLessThan(
          1e-5 * (Math.abs(dr[i]! * slope) + Math.abs(terms[3 * i + 2]!)),
        );
      }
    }),
    { numRuns: 20 },
  );
});

it("a policy with the reference's log-probability has reward 0, whatever β and the length", async () => {
  using _ = gpu().scope();
  const logps = normals(3, 20, 300);
  const terms = Float32Array.from([...logps].flatMap((logp, i) => [0.1 / (i + 1), logp, 0]));
  const rewards = await readTensor(gpu(), implicitReward(gpu(), column(logps), column(terms, 3)));
  expect(rewards.every((r) => r === 0)).toBe(true);
});

it("NaN and Inf reach their own row, forward and backward", async () => {
  using _ = gpu().scope();
  for (const oddsBeta of [undefined, 0.1]) {
    const logps = Float32Array.of(-1, Number.NaN, Number.NEGATIVE_INFINITY, -2);
    const terms = column(Float32Array.of(1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0), 3);
    const rewards = await readTensor(gpu(), implicitReward(gpu(), column(logps), terms, { oddsBeta }));
    expect([...rewards].map(Number.isFinite)).toEqual([true, false, false, true]);
    const dr = column(Float32Array.of(1, 1, Number.NaN, Number.POSITIVE_INFINITY));
    const good = column(Float32Array.of(-1, -2, -1, -1));
    const gradient = await readTensor(gpu(), implicitRewardGradient(gpu(), dr, good, terms, { oddsBeta }));
    expect([...gradient].map(Number.isFinite)).toEqual([true, true, false, false]);
  }
});

it("weighted sums go to their place in a row of metrics, or are added there", async () => {
  using _ = gpu().scope();
  const [rows, cols] = [70, 3];
  const x = normals(5, rows);
  const weights = normals(6, rows * cols);
  const start = normals(7, 2 * 9);
  const expected = (c: number) => x.reduce((sum, v, r) => sum + v * weights[r * cols + c]!, 0);
  for (const accumulate of [false, true]) {
    const metrics = uploadTensor(gpu(), start, 9, "metrics");
    weightedSums(gpu(), column(x), column(weights, cols), { metrics, row: 1, column: 4, accumulate });
    (await readTensor(gpu(), metrics)).forEach((v, i) => {
      const c = i - 9 - 4;
      if (c < 0 || c >= cols) expect(v).toBe(start[i]);
      else expect(v).toBeCloseTo(expected(c) + (accumulate ? start[i]! : 0), 4);
    });
  }
  const metrics = createTensor(gpu(), 1, 4, "metrics");
  expect(() => weightedSums(gpu(), column(x), column(weights, cols), { metrics, row: 0, column: 2 })).toThrow(
    /no row 0 with columns from 2 on/,
  );
});

it("every kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(implicitRewardKernels);
});
