import fc from "fast-check";
import { expect, it } from "vitest";
import { headNorm } from "../../src/kernels/head-norm.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
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
