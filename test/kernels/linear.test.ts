import fc from "fast-check";
import { expect, it } from "vitest";
import { canRun, linear, linearBaseline, linearVariants } from "../../src/kernels/linear.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

/** float64: y = into + (x W^T + bias) */
function reference(
  x: Float32Array,
  w: Float32Array,
  k: number,
  bias?: Float32Array,
  into?: Float32Array,
): Float64Array {
  const rows = x.length / k;
  const outs = w.length / k;
  const y = new Float64Array(rows * outs);
  for (let t = 0; t < rows; t++) {
    for (let n = 0; n < outs; n++) {
      let sum = bias?.[n] ?? 0;
      for (let i = 0; i < k; i++) sum += x[t * k + i]! * w[n * k + i]!;
      y[t * outs + n] = sum + (into?.[t * outs + n] ?? 0);
    }
  }
  return y;
}

const shapes = fc.record({
  rows: fc.integer({ min: 0, max: 40 }),
  k: fc.integer({ min: 1, max: 70 }),
  outs: fc.integer({ min: 1, max: 70 }),
  bias: fc.boolean(),
  into: fc.boolean(),
  seed: fc.nat(),
});

it("linear equals its float64 reference, and all variants give equal bits", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, k, outs, bias, into, seed }) => {
      using _ = gpu().scope();
      const x = normals(seed, rows * k);
      const w = normals(seed + 1, outs * k);
      const b = bias ? normals(seed + 2, outs) : undefined;
      const y0 = into ? normals(seed + 3, rows * outs) : undefined;
      const run = async (variant: (typeof linearVariants)[number]) => {
        const y = linear(gpu(), uploadTensor(gpu(), x, k, "x"), uploadTensor(gpu(), w, k, "w"), {
          variant,
          ...(b === undefined ? {} : { bias: uploadTensor(gpu(), b, outs, "b") }),
          ...(y0 === undefined ? {} : { into: uploadTensor(gpu(), y0, outs, "y") }),
        });
        return readTensor(gpu(), y);
      };
      const baseline = await run(linearBaseline);
      expect(relativeError(baseline, reference(x, w, k, b, y0))).toBeLessThan(1e-5);
      for (const variant of linearVariants.filter((v) => canRun(gpu(), v))) {
        expect(await run(variant), variant).toEqual(baseline);
      }
    }),
    { numRuns: 15 },
  );
});
