/** @file --gradient-accumulation-steps: K batches of b pairs make the step of one batch of K b, within rounding. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { ParameterArena } from "../../src/tensor/parameters.ts";
import { createTensor, writeTensor } from "../../src/tensor/tensor.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { batches, fitToPairs, microBatches, planSteps } from "../../src/train/plan.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { givenPairs, runLoop, trainOptions } from "./given-features.ts";

const gpu = useGpu();

it("the head after a step, its gradient norm, its metrics", async () => {
  const input = fc.record({
    seed: fc.nat(1e6),
    width: fc.constantFrom(1, 7, 65),
    pairs: fc.constantFrom(3, 13, 24, 50),
    batchSize: fc.constantFrom(1, 4, 5),
    steps: fc.constantFrom(2, 3, 16),
    centerRewardsCoefficient: fc.constantFrom(0, 0.02),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ seed, width, pairs, batchSize, steps, centerRewardsCoefficient }) => {
      const given = givenPairs(seed, width, pairs, 0);
      const head = normals(seed + 9, width, 1 / (width + 1));
      const common = { centerRewardsCoefficient, seed, epochs: 1, logEvery: 1, warmupSteps: 0, lr: 0.01 };
      const small = trainOptions({ ...common, batchSize, gradientAccumulationSteps: steps });
      const large = trainOptions({ ...common, batchSize: batchSize * steps });
      const [a, b] = [await runLoop(gpu(), given, head, small), await runLoop(gpu(), given, head, large)];
      expect(a.totalSteps).toBe(b.totalSteps);
      // One step: the gradients differ by the order of their sums; later ones by what Adam makes of that.
      const [first, whole] = [a.lines[0]!, b.lines[0]!];
      expect(Math.abs(first.grad_norm / whole.grad_norm - 1)).toBeLessThan(3e-5);
      for (const name of ["loss", "margin", "mean_reward", "min_reward", "max_reward"] as const)
        expect(Math.abs(first[name] - whole[name]), name).toBeLessThan(1e-5 * (1 + Math.abs(whole[name])));
      expect(first.num_tokens).toBe(whole.num_tokens);
      expect(relativeError(a.head, b.head)).toBeLessThan(1e-3);
    }),
    { numRuns: 15 },
  );
});

it("after the first step no buffer and no bind group is created", async () => {
  const counts: (readonly [number, number])[] = [];
  const options = trainOptions({ batchSize: 2, gradientAccumulationSteps: 2, epochs: 5, logEvery: 1 });
  await runLoop(gpu(), givenPairs(1, 24, 11, 0), normals(2, 24), options, {
    line: () => counts.push([gpu().memory.buffersCreated, gpu().recorder.stats.bindGroupsCreated]),
  });
  // Three steps an epoch, the last of two batches that have two pairs and one; then its state is saved.
  expect(counts.length).toBe(15);
  expect(counts.slice(3)).toEqual(new Array(12).fill(counts[3]));
});

it("the plan: steps of K b pairs; an epoch's last may be smaller, each pair comes once", () => {
  const options = trainOptions({ batchSize: 4, gradientAccumulationSteps: 3, epochs: 2, evalSteps: 5 });
  const plan = planSteps(29, options);
  expect(plan).toMatchObject({ stepsPerEpoch: 3, totalSteps: 6, evalEvery: 5, saveEvery: 3 });
  const steps = [...batches(29, plan, options)];
  expect(steps.map((s) => s.length)).toEqual([12, 12, 5, 12, 12, 5]);
  expect(microBatches(steps[2]!, 4).map((b) => b.length)).toEqual([4, 1]);
  expect(
    steps
      .slice(0, 3)
      .flatMap((s) => [...s])
      .sort((a, b) => a - b),
  ).toEqual([...Array(29).keys()]);
  for (const done of [1, 3, 4]) expect([...batches(29, plan, options, done)]).toEqual(steps.slice(done));
  expect(fitToPairs(6, options)).toMatchObject({ batchSize: 4, gradientAccumulationSteps: 2 });
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])(
  "a loss of %d in any of a step's batches stops it",
  async (bad) => {
    using _ = gpu().scope();
    using arena = new ParameterArena(gpu(), [{ name: "w", rows: 1, cols: 4 }]);
    using optimizer = new Optimizer(gpu(), arena);
    const metrics = createTensor(gpu(), 4, metricColumns.count, "metrics");
    const step = async (number: number, losses: readonly number[]) => {
      const values = new Float32Array(4 * metricColumns.count);
      losses.forEach((loss, i) => {
        values[(i + 1) * metricColumns.count + metricColumns.loss] = loss;
      });
      writeTensor(gpu(), metrics, values);
      arena.write("gradient", "w", Float32Array.of(1, 2, 3, 4));
      optimizer.step({
        lr: 0.1,
        step: number,
        maxGradNorm: 0,
        weightDecay: 0,
        metrics,
        row: 1,
        losses: losses.length,
      });
      return [...(await arena.read("master", "w"))];
    };
    const good = await step(1, [1, 2, 3]);
    expect(await optimizer.badStep()).toBeUndefined();
    expect(await step(2, [1, 2, bad])).toEqual(good);
    expect(await optimizer.badStep()).toBe(2);
  },
);
