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
