/** @file Sums over runs of rows against float64, their bits wherever the run lies, and the backward. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { segmentSums, segmentSumsGradient } from "../../src/kernels/segments.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();

const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 30, max: 140 })), {
  minLength: 1,
  maxLength: 90,
});

function offsetsOf(list: readonly number[]): Int32Array {
  const offsets = new Int32Array(list.length + 1);
  for (const [n, length] of list.entries()) offsets[n + 1] = offsets[n]! + length;
  return offsets;
}

it("sums equal float64 and do not depend on where a segment lies; the gradient reaches every row of it", async () => {
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(), async (list, seed) => {
      using _ = gpu().scope();
      const offsets = offsetsOf(list);
      const rows = offsets[list.length]!;
      const x = normals(seed, rows);
      const run = async (values: Float32Array, at: Int32Array) =>
        readTensor(
          gpu(),
          segmentSums(gpu(), uploadTensor(gpu(), values, 1, "x"), uploadTensor(gpu(), at, 1, "offsets")),
        );
      const sums = await run(x, offsets);
      for (const [n, length] of list.entries()) {
        const part = x.subarray(offsets[n]!, offsets[n + 1]!);
        const expected = part.reduce((sum, v) => sum + v, 0);
        const size = part.reduce((sum, v) => sum + Math.abs(v), 0);
        expect(Math.abs(sums[n]! - expected)).toBeLessThanOrEqual(1e-6 * size);
        if (n === seed % list.length)
          expect(await run(part, Int32Array.of(0, length))).toEqual(sums.slice(n, n + 1));
      }
      const dy = normals(seed + 1, list.length);
      const dx = segmentSumsGradient(
        gpu(),
        uploadTensor(gpu(), dy, 1, "dy"),
        uploadTensor(gpu(), offsets, 1, "offsets"),
        { rows, capacity: rows },
      );
      const expected = Float32Array.from(list.flatMap((length, n) => Array(length).fill(dy[n])));
      expect(await readTensor(gpu(), dx)).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});

it("NaN and Inf reach their own segment only", async () => {
  using _ = gpu().scope();
  const x = Float32Array.of(1, Number.NaN, 2, Number.POSITIVE_INFINITY, 3);
  const sums = segmentSums(
    gpu(),
    uploadTensor(gpu(), x, 1, "x"),
    uploadTensor(gpu(), Int32Array.of(0, 1, 2, 4, 5), 1, "offsets"),
  );
  expect(await readTensor(gpu(), sums)).toEqual(Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, 3));
});
