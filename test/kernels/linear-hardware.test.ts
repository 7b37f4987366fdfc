/** @file The linear layer as GPUs run it (their layouts, their defaults), here on whatever adapter there is: the same bits. */
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { linear, linearOperation } from "../../src/kernels/linear.ts";
import {
  type gradientVariants,
  linearInputGradient,
  linearWeightGradient,
  linearWeightGradientOperation,
} from "../../src/kernels/linear-gradient.ts";
import {
  broadcastLayout,
  outputBroadcastLayout,
  prefersShared,
  sharedLayoutOf,
} from "../../src/kernels/products.ts";
import { runnableVariants } from "../../src/kernels/variants.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { uploadWeight } from "../support/weights.ts";

const gpu = useGpu({ variants: {} });
beforeAll(() => {
  // Facts are plain data: this device says that it is no CPU.
  Object.assign(gpu().facts, { software: false });
});

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 80 }),
  k: fc.integer({ min: 1, max: 140 }),
  outs: fc.integer({ min: 1, max: 140 }),
  seed: fc.nat(),
});

it("layouts of GPUs give the baseline's bits", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, k, outs, seed }) => {
      using _ = gpu().scope();
      const x = uploadTensor(gpu(), normals(seed, rows * k), k, "x");
      const dy = uploadTensor(gpu(), normals(seed + 1, rows * outs), outs, "dy");
      const weight = uploadWeight(gpu(), normals(seed + 2, outs * k), k, "f32");
      const bits = async (y: Tensor) => new Uint32Array((await readTensor(gpu(), y)).buffer);
      const y = await bits(linear(gpu(), x, weight, { variant: "tile" }));
      for (const variant of [...runnableVariants(gpu(), linearOperation), undefined])
        expect(await bits(linear(gpu(), x, weight, variant ? { variant } : {})), `${variant}`).toEqual(y);
      const dx = await bits(linearInputGradient(gpu(), dy, weight, undefined, { variant: "tile" }));
      const weightGradient = (variant?: (typeof gradientVariants)[number]) => {
        const dw = uploadTensor(gpu(), new Float32Array(outs * k), k, "dw");
        linearWeightGradient(gpu(), dy, x, dw, false, variant);
        return bits(dw);
      };
      const dw = await weightGradient("tile");
      for (const variant of [...runnableVariants(gpu(), linearWeightGradientOperation), undefined]) {
        const options = variant ? { variant } : {};
        expect(await bits(linearInputGradient(gpu(), dy, weight, undefined, options))).toEqual(dx);
        expect(await weightGradient(variant), `${variant}`).toEqual(dw);
      }
    }),
    { numRuns: 12 },
  );
});

it("the gradients of large weights have wide tiles, those of small ones narrow tiles, and the same bits", async () => {
  const [outs, cols, tokens] = [1037, 998, 70];
  using _ = gpu().scope();
  const dy = uploadTensor(gpu(), normals(1, tokens * outs), outs, "dy");
  const x = uploadTensor(gpu(), normals(2, tokens * cols), cols, "x");
  const gradient = async (variant: "tile" | "shared") => {
    const dw = uploadTensor(gpu(), new Float32Array(outs * cols), cols, "dw");
    linearWeightGradient(gpu(), dy, x, dw, false, variant);
    return Buffer.from((await readTensor(gpu(), dw)).buffer);
  };
  expect((await gradient("shared")).equals(await gradient("tile"))).toBe(true);
  expect(sharedLayoutOf({ rows: outs, stride4: 250 }).rows).toBe(64);
  expect(sharedLayoutOf({ rows: 768, stride4: 192 }).rows).toBe(32);
});

it("GPUs share tiles in workgroup memory where results fill them, and never CPUs' layouts", () => {
  expect(prefersShared(gpu(), 256, 768)).toBe(true);
  expect(prefersShared(gpu(), 8, 768)).toBe(false);
  expect(prefersShared(gpu(), 256, 1)).toBe(false);
  const pipelines = gpu().recorder.collect(() => {
    using _ = gpu().scope();
    const x = uploadTensor(gpu(), normals(1, 64 * 4), 4, "x");
    linear(gpu(), x, uploadWeight(gpu(), normals(2, 64 * 4), 4, "f32"));
  });
  expect(pipelines.map(({ kernel }) => kernel.name)).toEqual(["linear_shared"]);
  for (const layout of [broadcastLayout(gpu(), 256), outputBroadcastLayout(gpu(), 256)])
    expect(layout.groups).toBe(64);
});
