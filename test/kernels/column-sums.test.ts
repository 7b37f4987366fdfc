/** @file Weighted column sums against float64. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { columnSums } from "../../src/kernels/column-sums.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

it("equals its float64 reference, written or added, with zeros in the padding", async () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 200 }),
    cols: fc.integer({ min: 1, max: 300 }),
    accumulate: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, cols, accumulate, seed }) => {
      using _ = gpu().scope();
      const x = normals(seed, rows * cols);
      const weights = normals(seed + 1, rows);
      const start = normals(seed + 2, cols);
      const y = uploadTensor(gpu(), start, cols, "y");
      columnSums(
        gpu(),
        uploadTensor(gpu(), x, cols, "x"),
        uploadTensor(gpu(), weights, 1, "w"),
        y,
        accumulate,
      );
      const expected = Float64Array.from(start, (s, c) =>
        weights.reduce((sum, w, r) => sum + w * (x[r * cols + c] ?? 0), accumulate ? s : 0),
      );
      expect(relativeError(await readTensor(gpu(), y), expected)).toBeLessThan(1e-5);
      const raw = new Float32Array(await gpu().read(y.buffer, 0, y.rowBytes));
      expect([...raw.subarray(cols)].every((v) => v === 0)).toBe(true);
    }),
    { numRuns: 15 },
  );
});

it("lets NaN and Inf through", async () => {
  using _ = gpu().scope();
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const x = normals(1, 50 * 6);
    x[40 * 6 + 2] = bad;
    const y = uploadTensor(gpu(), new Float32Array(6), 6, "y");
    columnSums(gpu(), uploadTensor(gpu(), x, 6, "x"), uploadTensor(gpu(), normals(2, 50), 1, "w"), y);
    expect([...(await readTensor(gpu(), y))].map(Number.isFinite)).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
  }
});
