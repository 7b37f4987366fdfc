/** @file AdamW with clipping against float64; steps that are not finite change nothing, for good. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { metricColumns } from "../../src/kernels/metric-columns.ts";
import { trainingKernels } from "../../src/kernels/training-kernels.ts";
import { ParameterArena, type ParameterSpec } from "../../src/tensor/parameters.ts";
import { type Tensor, uploadTensor, writeTensor } from "../../src/tensor/tensor.ts";
import { Optimizer } from "../../src/train/optimizer.ts";
import { type AdamWState, adamWStart, adamWStep, clipByGlobalNorm } from "../reference/optimizer.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

/** Small enough that parameters take several pieces and grids fold. */
const small = useGpu({ limits: { maxBinding: 32_768, maxWorkgroups: 16 } });

const metricsRows = (rows: number, loss = 1): Tensor => {
  const values = new Float32Array(rows * metricColumns.count).fill(loss);
  return uploadTensor(small(), values, metricColumns.count, "metrics");
};

it("follows float64 AdamW with clipping, decay and learning-rate groups over several steps and pieces", async () => {
  const input = fc.record({
    shapes: fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 80 }),
        fc.boolean(),
        fc.constantFrom("base", "head", "other"),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    maxGradNorm: fc.constantFrom(0, 0.5, 1e6),
    weightDecay: fc.constantFrom(0, 0.1),
    lr: fc.constantFrom(1e-3, 5e-2),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ shapes, maxGradNorm, weightDecay, lr, seed }) => {
      using _ = small().scope();
      const specs = shapes.map(
        ([rows, cols, decay, group], i): ParameterSpec => ({ name: `p${i}`, rows, cols, decay, group }),
      );
      using arena = new ParameterArena(small(), specs);
      using optimizer = new Optimizer(small(), arena);
      const metrics = metricsRows(3);
      const states = new Map<string, AdamWState>();
      for (const [i, { name, rows, cols }] of specs.entries()) {
        const start = normals(seed + i, rows * cols);
        arena.write("master", name, start);
        states.set(name, adamWStart(start));
      }
      for (let step = 1; step <= 3; step++) {
        const gradients = specs.map(({ rows, cols }, i) => normals(seed + 100 * step + i, rows * cols, 0.1));
        specs.forEach(({ name }, i) => {
          arena.write("gradient", name, gradients[i] ?? new Float32Array());
        });
        // "other" has no rate of its own.
        const groupLr = { head: 10 * lr };
        optimizer.step({ lr, groupLr, step, maxGradNorm, weightDecay, metrics, row: step - 1 });
        const { norm, clipped } = clipByGlobalNorm(
          gradients,
          maxGradNorm === 0 ? Number.POSITIVE_INFINITY : maxGradNorm,
        );
        const row = new Float32Array(
          await small().read(metrics.buffer, (step - 1) * metrics.rowBytes, metrics.rowBytes),
        );
        expect(Math.abs((row[metricColumns.gradNorm] ?? Number.NaN) / norm - 1)).toBeLessThan(1e-6);
        specs.forEach(({ name, decay, group }, i) => {
          const state = states.get(name) ?? adamWStart([]);
          const options = { lr: group === "head" ? groupLr.head : lr, weightDecay: decay ? weightDecay : 0 };
          states.set(name, adamWStep(state, clipped[i] ?? [], options));
        });
      }
      for (const { name } of specs) {
        const state = states.get(name) ?? adamWStart([]);
        expect(relativeError(await arena.read("master", name), state.weights)).toBeLessThan(2e-6);
        expect(relativeError(await arena.read("m", name), state.m)).toBeLessThan(2e-6);
        expect(relativeError(await arena.read("v", name), state.v)).toBeLessThan(2e-6);
      }
      expect(await optimizer.badStep()).toBeUndefined();
    }),
    { numRuns: 8 },
  );
});

/** Two good steps, then `spoil`, then a step with good gradients again: nothing may change from `spoil` on. */
async function staysGood(spoil: (arena: ParameterArena, metrics: Tensor) => void) {
  using _ = small().scope();
  using arena = new ParameterArena(small(), [
    { name: "big", rows: 300, cols: 64 },
    { name: "head", rows: 1, cols: 5 },
  ]);
  using optimizer = new Optimizer(small(), arena);
  const metrics = metricsRows(1);
  const fill = () => {
    arena.write("gradient", "big", normals(5, 300 * 64));
    arena.write("gradient", "head", normals(6, 5));
    writeTensor(small(), metrics, new Float32Array(metricColumns.count).fill(1));
  };
  const step = (n: number) => {
    optimizer.step({ lr: 0.1, step: n, maxGradNorm: 1, weightDecay: 0.1, metrics, row: 0 });
  };
  const everything = async () => {
    const read = (["master", "m", "v"] as const).flatMap((role) => [
      arena.read(role, "big"),
      arena.read(role, "head"),
    ]);
    return (await Promise.all(read)).map((values) => [...values]);
  };
  arena.write("master", "big", normals(7, 300 * 64));
  fill();
  step(1);
  step(2);
  const good = await everything();
  expect(good.flat().every(Number.isFinite)).toBe(true);
  spoil(arena, metrics);
  step(3);
  fill();
  step(4);
  expect(await everything()).toEqual(good);
  expect(await optimizer.badStep()).toBe(3);
}

it.each([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["a square past f32", 1e30],
])("a gradient with %s stops the updates for good and latches the step", async (_, bad) => {
  await staysGood((arena) => {
    const values = normals(5, 300 * 64);
    values[values.length - 3] = bad;
    arena.write("gradient", "big", values);
  });
});

it.each([Number.NaN, Number.NEGATIVE_INFINITY])("a loss of %s does the same", async (bad) => {
  await staysGood((_, metrics) => {
    const row = new Float32Array(metricColumns.count).fill(1);
    row[metricColumns.loss] = bad;
    writeTensor(small(), metrics, row);
  });
});

it("a step creates no buffer after the first and gives the same bits again", async () => {
  const run = async () => {
    using _ = small().scope();
    using arena = new ParameterArena(small(), [{ name: "w", rows: 500, cols: 33 }]);
    using optimizer = new Optimizer(small(), arena);
    const metrics = metricsRows(1);
    arena.write("gradient", "w", normals(1, 500 * 33));
    const step = (n: number) => {
      optimizer.step({ lr: 0.1, step: n, maxGradNorm: 1, weightDecay: 0, metrics, row: 0 });
    };
    step(1);
    const { buffersCreated } = small().memory;
    const groups = small().recorder.stats.bindGroupsCreated;
    step(2);
    expect([small().memory.buffersCreated, small().recorder.stats.bindGroupsCreated]).toEqual([
      buffersCreated,
      groups,
    ]);
    return arena.read("master", "w");
  };
  expect(await run()).toEqual(await run());
});

it("every training kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(trainingKernels);
});
