import fc from "fast-check";
import { expect, it } from "vitest";
import { rmsNorm } from "../../src/kernels/rms-norm.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

/** float64, from the formula. */
function reference(x: Float32Array, weight: Float32Array, eps: number): Float64Array {
  const d = weight.length;
  const y = new Float64Array(x.length);
  for (let g = 0; g < x.length / d; g++) {
    let square = 0;
    for (let c = 0; c < d; c++) square += x[g * d + c]! ** 2;
    for (let c = 0; c < d; c++) y[g * d + c] = (x[g * d + c]! / Math.sqrt(square / d + eps)) * weight[c]!;
  }
  return y;
}

it("rmsNorm equals its float64 reference over random shapes", async () => {
  const shape = fc.record({
    rows: fc.integer({ min: 0, max: 70 }),
    groups: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 70 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, groups, cols, seed }) => {
      using _ = gpu().scope();
      const x = normals(seed, rows * groups * cols);
      const weight = normals(seed + 1, cols);
      const y = rmsNorm(gpu(), uploadTensor(gpu(), x, groups * cols, "x"), uploadTensor(gpu(), weight, cols, "w"), 1e-3);
      const out = await readTensor(gpu(), y);
      expect(relativeError(out, reference(x, weight, 1e-3))).toBeLessThan(1e-5);
    }),
    { numRuns: 15 },
  );
});
