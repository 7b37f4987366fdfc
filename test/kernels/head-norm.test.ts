import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headNorm, headNormBackward } from "../../src/kernels/head-norm.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { rmsNormGradient } from "../reference/layer-gradients.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

it("headNorm normalises its columns and leaves the others untouched", async () => {
  const shape = fc.record({
    rows: fc.integer({ min: 0, max: 40 }),
    heads: fc.integer({ min: 1, max: 4 }),
    headDim: fc.integer({ min: 1, max: 40 }),
    before: fc.integer({ min: 0, max: 9 }),
    after: fc.integer({ min: 0, max: 9 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, heads, headDim, before, after, seed }) => {
      using _ = gpu().scope();
      const cols = before + heads * headDim + after;
      const values = normals(seed, rows * cols);
      const weight = normals(seed + 1, headDim);
      const expected = Float64Array.from(values);
      for (let t = 0; t < rows; t++) {
        for (let h = 0; h < heads; h++) {
          const begin = t * cols + before + h * headDim;
          const head = values.subarray(begin, begin + headDim);
          const mean = head.reduce((sum, v) => sum + v * v, 0) / headDim;
          head.forEach((v, c) => {
            expected[begin + c] = (v / Math.sqrt(mean + 1e-6)) * weight[c]!;
          });
        }
      }
      const x = uploadTensor(gpu(), values, cols, "x");
      headNorm(gpu(), x, uploadTensor(gpu(), weight, headDim, "w"), 1e-6, {
        heads,
        headDim,
        firstCol: before,
      });
      const out = await readTensor(gpu(), x);
      expect(relativeError(out, expected)).toBeLessThan(1e-5);
    }),
    { numRuns: 15 },
  );
});

it("NaN and infinity spoil their own head and no other, and a row's bits do not depend on its batch", async () => {
  using _ = gpu().scope();
  const [rows, heads, headDim] = [5, 3, 10];
  const values = normals(7, rows * heads * headDim);
  values[2 * heads * headDim + headDim + 4] = Number.NaN;
  values[4 * heads * headDim] = Number.POSITIVE_INFINITY;
  const weight = uploadTensor(gpu(), normals(8, headDim), headDim, "w");
  const run = async (part: Float32Array) => {
    const x = uploadTensor(gpu(), part, heads * headDim, "x");
    headNorm(gpu(), x, weight, 1e-6, { heads, headDim, firstCol: 0 });
    return readTensor(gpu(), x);
  };
  const out = await run(values);
  out.forEach((value, i) => {
    const head = Math.floor(i / headDim);
    if (head === 2 * heads + 1) expect(value, `value ${i}`).toBeNaN();
    else if (head !== 4 * heads) expect(Number.isFinite(value), `value ${i}`).toBe(true);
  });
  // An infinite sum of squares scales the rest of its head to 0, and the infinite value to NaN.
  expect(out[4 * heads * headDim]).toBeNaN();
  const width = heads * headDim;
  expect(await run(values.subarray(width, 2 * width))).toEqual(out.subarray(width, 2 * width));
});

describe("headNormBackward", () => {
  const shape = fc.record({
    rows: fc.integer({ min: 0, max: 40 }),
    heads: fc.integer({ min: 1, max: 4 }),
    headDim: fc.integer({ min: 1, max: 40 }),
    before: fc.integer({ min: 0, max: 9 }),
    after: fc.integer({ min: 0, max: 9 }),
    learns: fc.boolean(),
    seed: fc.nat(),
  });

  it("gives the gradients of its heads and of the weight, and leaves other columns untouched", async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, heads, headDim, before, after, learns, seed }) => {
        using _ = gpu().scope();
        const cols = before + heads * headDim + after;
        const [x, dy] = [normals(seed, rows * cols), normals(seed + 1, rows * cols)];
        const [weight, start] = [normals(seed + 2, headDim), normals(seed + 3, headDim)];
        const expected = Float64Array.from(dy);
        const expectedWeight = Float64Array.from(start);
        for (let t = 0; t < rows; t++) {
          for (let h = 0; h < heads; h++) {
            const begin = t * cols + before + h * headDim;
            const head = (values: Float32Array) => values.subarray(begin, begin + headDim);
            const { dx, dGain } = rmsNormGradient(head(dy), head(x), weight, 1e-6);
            expected.set(dx, begin);
            dGain.forEach((value, c) => {
              expectedWeight[c]! += value;
            });
          }
        }
        const gradient = uploadTensor(gpu(), dy, cols, "dy");
        const into = uploadTensor(gpu(), start, headDim, "into");
        const operand = uploadTensor(gpu(), x, cols, "x");
        const w = uploadTensor(gpu(), weight, headDim, "w");
        const range = { heads, headDim, firstCol: before };
        headNormBackward(gpu(), gradient, operand, w, 1e-6, range, learns ? into : undefined);
        expect(relativeError(await readTensor(gpu(), gradient), expected)).toBeLessThan(1e-5);
        expect(relativeError(await readTensor(gpu(), into), learns ? expectedWeight : start)).toBeLessThan(
          1e-5,
        );
        const raw = new Float32Array(await gpu().read(into.buffer, 0, into.rowBytes));
        expect(
          raw.subarray(headDim).every((v) => v === 0),
          "padding is 0",
        ).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("keeps NaN and infinity in their head and in the weight's gradient", async () => {
    using _ = gpu().scope();
    const [rows, heads, headDim] = [9, 3, 10];
    const width = heads * headDim;
    const w = uploadTensor(gpu(), normals(1, headDim), headDim, "w");
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const poisoned of ["x", "dy"] as const) {
        const values = { x: normals(2, rows * width), dy: normals(3, rows * width) };
        values[poisoned][4 * width + headDim + 7] = bad;
        const dx = uploadTensor(gpu(), values.dy, width, "dy");
        const into = uploadTensor(gpu(), new Float32Array(headDim), headDim, "into");
        const x = uploadTensor(gpu(), values.x, width, "x");
        headNormBackward(gpu(), dx, x, w, 1e-6, { heads, headDim, firstCol: 0 }, into);
        const out = await readTensor(gpu(), dx);
        const finite = Array.from({ length: rows * heads }, (_, head) =>
          out.subarray(head * headDim, (head + 1) * headDim).every(Number.isFinite),
        );
        expect(
          finite.flatMap((good, head) => (good ? [] : [head])),
          `${bad} in ${poisoned}`,
        ).toEqual([4 * heads + 1]);
        expect((await readTensor(gpu(), into))[7], `${bad} in ${poisoned}`).not.toSatisfy(Number.isFinite);
      }
    }
  });
});
