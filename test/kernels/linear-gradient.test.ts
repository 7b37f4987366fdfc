/** @file The linear layer's backward against float64, written and added, in one binding and in windows; NaN and Inf. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import {
  type GradientVariant,
  gradientVariants,
  linearGradientKernels,
  linearInputGradient,
  linearWeightGradient,
  linearWeightGradientOperation,
} from "../../src/kernels/linear-gradient.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { linear as reference } from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { rounded, uploadWeight, weightDtypes } from "../support/weights.ts";

const gpu = useGpu();
/** Weights over 4 KiB go in windows; more than six workgroups fold the grid. */
const narrow = useGpu({ limits: { maxBinding: 4096, maxWorkgroups: 6 } });

function transposed(m: Float32Array, cols: number): Float32Array {
  const rows = m.length / cols;
  return Float32Array.from(m, (_, i) => m[(i % rows) * cols + Math.floor(i / rows)] ?? 0);
}

async function expectZeroPadding(device: ReturnType<typeof gpu>, t: Tensor): Promise<void> {
  const raw = new Float32Array(await device.read(t.buffer, t.offset, t.rows * t.rowBytes));
  expect(
    raw.every((v, i) => i % t.stride < t.cols || v === 0),
    "padding is 0",
  ).toBe(true);
}

const wide = { rows: 200, k: 50, outs: 80 };
const inBindings = { rows: 8, k: 40, outs: 120 };

describe.each([
  ["in one binding", gpu, wide],
  ["in windows", narrow, inBindings],
] as const)("%s", (_, device, most) => {
  const shapes = fc.record({
    rows: fc.integer({ min: 0, max: most.rows }),
    k: fc.integer({ min: 1, max: most.k }),
    outs: fc.integer({ min: 1, max: most.outs }),
    dtype: fc.constantFrom(...weightDtypes),
    into: fc.boolean(),
    seed: fc.nat(),
  });

  it("every variant gives the same bits, written over what was there", async () => {
    const runs = (variant: GradientVariant) => linearWeightGradientOperation.canRun(device(), variant);
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, k, outs, dtype, into, seed }) => {
        if (rows === 0) return;
        using _ = device().scope();
        const dy = uploadTensor(device(), normals(seed, rows * outs), outs, "dy");
        const x = uploadTensor(device(), normals(seed + 1, rows * k), k, "x");
        const w = uploadWeight(device(), rounded(normals(seed + 2, outs * k), dtype), k, dtype);
        const gradients = async (variant: GradientVariant) => {
          const dw = uploadTensor(device(), normals(seed + 3, outs * k), k, "dw");
          linearWeightGradient(device(), dy, x, dw, into, variant);
          await expectZeroPadding(device(), dw);
          return readTensor(device(), dw);
        };
        const inputGradients = async (variant: GradientVariant) => {
          const start = uploadTensor(device(), normals(seed + 4, rows * k), k, "dx");
          const dx = linearInputGradient(device(), dy, w, start, { overwrite: !into, variant });
          await expectZeroPadding(device(), dx);
          return readTensor(device(), dx);
        };
        const dw = await gradients("tile");
        for (const variant of gradientVariants.filter(runs))
          expect(await gradients(variant), variant).toEqual(dw);
        const dx = await inputGradients("tile");
        for (const variant of gradientVariants.filter(runs))
          expect(await inputGradients(variant), variant).toEqual(dx);
        const fresh = await readTensor(device(), linearInputGradient(device(), dy, w));
        if (!into) expect(dx).toEqual(fresh);
      }),
      { numRuns: 15 },
    );
  });

  it("dw = dy^T x, the same bits each time", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, k, outs, into, seed }) => {
        using _ = device().scope();
        const dy = normals(seed, rows * outs);
        const x = normals(seed + 1, rows * k);
        const start = normals(seed + 2, outs * k);
        const run = async () => {
          const dw = uploadTensor(device(), start, k, "dw");
          const on = (values: Float32Array, cols: number) => uploadTensor(device(), values, cols, "operand");
          linearWeightGradient(device(), on(dy, outs), on(x, k), dw, into);
          await expectZeroPadding(device(), dw);
          return readTensor(device(), dw);
        };
        const sums =
          rows === 0 ? new Float64Array(outs * k) : reference(transposed(dy, outs), transposed(x, k), rows);
        const dw = await run();
        expect(
          relativeError(
            dw,
            sums.map((v, i) => v + (into ? (start[i] ?? 0) : 0)),
          ),
        ).toBeLessThan(1e-5);
        expect(await run()).toEqual(dw);
      }),
      { numRuns: 15 },
    );
  });

  it("dx = dy W", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, k, outs, dtype, into, seed }) => {
        using _ = device().scope();
        const dy = normals(seed, rows * outs);
        const w = rounded(normals(seed + 1, outs * k), dtype);
        const start = normals(seed + 2, rows * k);
        const dx = linearInputGradient(
          device(),
          uploadTensor(device(), dy, outs, "dy"),
          uploadWeight(device(), w, k, dtype),
          into ? uploadTensor(device(), start, k, "dx") : undefined,
        );
        const expected = reference(dy, transposed(w, k), outs).map(
          (v, i) => v + (into ? (start[i] ?? 0) : 0),
        );
        expect(relativeError(await readTensor(device(), dx), expected)).toBeLessThan(1e-5);
        await expectZeroPadding(device(), dx);
      }),
      { numRuns: 15 },
    );
  });
});

describe("NaN and Inf in dy reach their row of dw, those in x their column, and nothing else", () => {
  const [rows, k, outs] = [70, 6, 7];
  const poisons = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

  it.each(gradientVariants)("dw, %s", async (variant) => {
    using _ = gpu().scope();
    const dw = uploadTensor(gpu(), new Float32Array(outs * k), k, "dw");
    for (const bad of poisons) {
      const dy = normals(1, rows * outs);
      const x = normals(2, rows * k);
      dy[66 * outs + 5] = bad;
      x[3 * k + 1] = bad;
      const on = (values: Float32Array, cols: number) => uploadTensor(gpu(), values, cols, "operand");
      linearWeightGradient(gpu(), on(dy, outs), on(x, k), dw, false, variant);
      (await readTensor(gpu(), dw)).forEach((v, i) => {
        expect(Number.isFinite(v), `${bad}, value ${i}`).toBe(Math.floor(i / k) !== 5 && i % k !== 1);
      });
      await expectZeroPadding(gpu(), dw);
    }
  });

  it.each(gradientVariants)("dx, %s", async (variant) => {
    using _ = gpu().scope();
    for (const bad of poisons) {
      const dy = normals(1, rows * outs);
      dy[66 * outs + 5] = bad;
      const w = normals(3, outs * k);
      w[4 * k + 2] = bad;
      const on = (values: Float32Array, cols: number) => uploadTensor(gpu(), values, cols, "operand");
      const dx = linearInputGradient(gpu(), on(dy, outs), on(w, k), undefined, { variant });
      (await readTensor(gpu(), dx)).forEach((v, i) => {
        expect(Number.isFinite(v), `${bad}, value ${i}`).toBe(Math.floor(i / k) !== 66 && i % k !== 2);
      });
      await expectZeroPadding(gpu(), dx);
    }
  });
});

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const tensor = (rows: number, cols: number) => uploadTensor(gpu(), normals(1, rows * cols), cols, "t");
  expect(() => linearWeightGradient(gpu(), tensor(4, 2), tensor(4, 3), tensor(3, 3))).toThrow(
    /linearWeightGradient dy/,
  );
  expect(() => linearWeightGradient(gpu(), tensor(4, 2), tensor(4, 4), tensor(2, 3))).toThrow(
    /linearWeightGradient x/,
  );
  expect(() => linearInputGradient(gpu(), tensor(4, 2), tensor(3, 3))).toThrow(/linearInputGradient dy/);
});

it("every kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(linearGradientKernels);
});

it("a weight larger than caches goes in blocks on CPU adapters: equals float64, written and added", async () => {
  using _ = gpu().scope();
  const [rows, k, outs] = [65, 1024, 1701];
  const [dyValues, wValues, begin] = [normals(1, rows * outs), normals(2, outs * k), normals(3, rows * k)];
  const dy = uploadTensor(gpu(), dyValues, outs, "dy");
  const weight = uploadTensor(gpu(), wValues, k, "weight");
  const into = uploadTensor(gpu(), begin, k, "dx");
  const before = gpu().recorder.stats.dispatches;
  const written = await readTensor(gpu(), linearInputGradient(gpu(), dy, weight));
  expect(gpu().recorder.stats.dispatches - before).toBe(gpu().facts.software ? 2 : 1);
  const added = await readTensor(gpu(), linearInputGradient(gpu(), dy, weight, into));
  const places = Array.from({ length: 500 }, (_, i) => (i * 7919) % (rows * k));
  const expected = places.map((at) => {
    const [row, col] = [Math.floor(at / k), at % k];
    let sum = 0;
    for (let n = 0; n < outs; n++) sum += dyValues[row * outs + n]! * wValues[n * k + col]!;
    return sum;
  });
  const found = (dx: Float32Array) => places.map((at) => dx[at]!);
  expect(relativeError(found(written), expected)).toBeLessThan(1e-5);
  expect(
    relativeError(
      found(added),
      expected.map((sum, i) => sum + begin[places[i]!]!),
    ),
  ).toBeLessThan(1e-5);
});

it("many tokens of long rows go in blocks on CPU adapters: equals float64, written and added", async () => {
  using _ = gpu().scope();
  const [rows, k, outs] = [900, 5, 2049];
  const [dyValues, xValues, begin] = [normals(1, rows * outs), normals(2, rows * k), normals(3, outs * k)];
  const dy = uploadTensor(gpu(), dyValues, outs, "dy");
  const x = uploadTensor(gpu(), xValues, k, "x");
  const expected = reference(transposed(dyValues, outs), transposed(xValues, k), rows);
  for (const added of [false, true]) {
    const dw = uploadTensor(gpu(), begin, k, "dw");
    const before = gpu().recorder.stats.dispatches;
    linearWeightGradient(gpu(), dy, x, dw, added);
    expect(gpu().recorder.stats.dispatches - before).toBe(gpu().facts.software ? 2 : 1);
    const sums = expected.map((sum, i) => sum + (added ? begin[i]! : 0));
    expect(relativeError(await readTensor(gpu(), dw), sums)).toBeLessThan(1e-5);
  }
});
