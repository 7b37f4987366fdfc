/**
 * @file The tensor-core kernel with plain arithmetic in the place of matrix units (test/support/plain-units.wgsl), so that
 * any adapter runs what stands around them: tiles, edges, windows, scales, barriers. With units it compiles (test/architecture).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, it } from "vitest";
import { linearSubgroupMatrix } from "../../src/kernels/generated/index.ts";
import {
  matrixInputGradient,
  matrixLinear,
  matrixUnits,
  matrixWeightGradient,
} from "../../src/kernels/matrix-class.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { type MatrixCase, matrixCases, matrixInputs, matrixProducts } from "../support/matrix-class.ts";
import { relativeError } from "../support/numbers.ts";
import { uploadWeight } from "../support/weights.ts";

const gpu = useGpu();
/** Weights over 12 KiB go in windows. */
const windowing = useGpu({ limits: { maxBinding: 12_288, maxWorkgroups: 9 } });

const text = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
const plain = text("../support/plain-units.wgsl") + text("../../wgsl/lib/half.wgsl");
const kernel = {
  ...linearSubgroupMatrix,
  headers: { ...linearSubgroupMatrix.headers, units: { plain } },
};
/** Eight teams of eight invocations. */
const units = matrixUnits("8x8x8", { WG: 64, DEPTH: 16, PAD: 0, BUFFERS: 1 }, kernel, "plain");

async function run(device: ReturnType<typeof gpu>, c: MatrixCase) {
  using _ = device.scope();
  const { x, w, dy, bias, old } = matrixInputs(c);
  const [X, DY] = [uploadTensor(device, x, c.k, "x"), uploadTensor(device, dy, c.outs, "dy")];
  const W = uploadWeight(device, w, c.k, c.dtype);
  const results = (values: Float32Array, cols: number) =>
    c.into
      ? uploadTensor(device, values, cols, "old")
      : createTensor(device, values.length / cols, cols, "new");
  const [y, dx, dw] = [results(old.y, c.outs), results(old.dx, c.k), results(old.dw, c.k)];
  const B = bias && uploadTensor(device, bias, c.outs, "bias");
  matrixLinear(device, X, W, y, { bias: B, accumulate: c.into }, units);
  matrixInputGradient(device, DY, W, dx, c.into, units);
  matrixWeightGradient(device, DY, X, dw, c.into, units);
  const read = (tensor: Tensor) => readTensor(device, tensor);
  return { y: await read(y), dx: await read(dx), dw: await read(dw) };
}

it("products equal float64 on rounded factors, over tiles, with old values, biases and windows", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    // f32 weights only: each dtype is a pipeline more to build, and weights are widened as everywhere.
    fc.asyncProperty(matrixCases({ rows: 70, k: 40, outs: 80 }, ["f32"]), async (c) => {
      const [found, expected] = [await run(gpu(), c), matrixProducts(c)];
      for (const name of ["y", "dx", "dw"] as const)
        expect(relativeError(found[name], expected[name]), name).toBeLessThan(1e-5);
      if (c.rows <= 38) {
        const windowed = await run(windowing(), c);
        expect([windowed.y, windowed.dw], "in windows").toEqual([found.y, found.dw]);
        expect(relativeError(windowed.dx, expected.dx), "dx in windows").toBeLessThan(1e-5);
      }
    }),
    { numRuns: 15 },
  );
});
