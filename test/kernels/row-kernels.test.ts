/** @file Norms, activations and residual addition against float64; rows alone as in a batch; NaN and Inf. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { addInto } from "../../src/kernels/add.ts";
import { gelu } from "../../src/kernels/gelu.ts";
import { layerNorm } from "../../src/kernels/layer-norm.ts";
import { rmsNorm } from "../../src/kernels/rms-norm.ts";
import { rowKernels } from "../../src/kernels/row-kernels.ts";
import { swiglu } from "../../src/kernels/swiglu.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import * as reference from "../reference/layers.ts";
import * as pointwise from "../reference/pointwise.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { checkPropagation, checkRows, type RowCase, withVariants } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 4 } });
const upload = (data: Float32Array, cols = data.length) => uploadTensor(gpu(), data, cols, "operand");
const eps = 1e-3;

const norms = {
  rms_norm: {
    cols: fc.integer({ min: 1, max: 150 }),
    operation: (cols, seed) => (x) => rmsNorm(gpu(), x, upload(normals(seed, cols)), eps),
    reference: (x, cols, seed) => reference.rmsNorm(x, normals(seed, cols), eps),
  },
  layer_norm: {
    cols: fc.integer({ min: 2, max: 150 }),
    operation: (cols, seed) => (x) =>
      layerNorm(gpu(), x, upload(normals(seed, cols)), upload(normals(seed + 1, cols)), eps),
    reference: (x, cols, seed) => reference.layerNorm(x, normals(seed, cols), normals(seed + 1, cols), eps),
  },
} satisfies Record<string, RowCase>;

const activations: Record<string, RowCase> = {
  swiglu: {
    cols: fc.integer({ min: 1, max: 75 }).map((half) => 2 * half),
    scale: 4,
    operation: () => (x) => swiglu(gpu(), x),
    reference: (x, cols) => {
      const half = cols / 2;
      return Float64Array.from({ length: x.length / 2 }, (_, i) => {
        const at = Math.floor(i / half) * cols + (i % half);
        return pointwise.silu(x[at] ?? 0) * (x[at + half] ?? 0);
      });
    },
  },
  geluTanh: {
    cols: fc.integer({ min: 1, max: 75 }),
    scale: 3,
    operation: () => (x) => gelu(gpu(), x, "tanh"),
    reference: (x) => Float64Array.from(x, pointwise.geluTanh),
  },
  geluErf: {
    cols: fc.integer({ min: 1, max: 75 }),
    scale: 3,
    operation: () => (x) => gelu(gpu(), x, "erf"),
    reference: (x) => Float64Array.from(x, pointwise.geluErf),
  },
};

const cases: [string, RowCase][] = [
  ...Object.entries(norms).flatMap(([operation, c]) => withVariants(gpu, operation, c)),
  ...Object.entries(activations),
];

it.each(cases)("%s equals its float64 reference, a row alone as in a batch", async (_, c) => {
  await checkRows(gpu(), c);
});

it.each(cases)("%s lets NaN and Inf through, in their row only", async (_, c) => {
  await checkPropagation(gpu(), c, 10);
});

it.each(["shared", "single"])("layerNorm %s keeps its digits when the mean is large", async (variant) => {
  using _ = gpu().scope();
  const x = normals(1, 300).map((v) => v + 1000);
  const [ones, zeros] = [upload(new Float32Array(100).fill(1)), upload(new Float32Array(100))];
  const run = () => layerNorm(gpu(), upload(x, 100), ones, zeros, eps);
  const y = await readTensor(gpu(), gpu().variants.forcing("layer_norm", variant, run));
  const expected = reference.layerNorm(x, new Float32Array(100).fill(1), new Float32Array(100), eps);
  for (let i = 0; i < y.length; i++)
    expect(Math.abs((y[i] ?? Number.NaN) - (expected[i] ?? 0))).toBeLessThan(1e-3);
});

it("swiglu and gelu stay right for large arguments", async () => {
  using _ = gpu().scope();
  const gates = Float32Array.of(-1e4, -300, -100, -88, 88, 300, 1e4, 0);
  const x = Float32Array.of(...gates, ...new Float32Array(8).fill(1));
  const gated = await readTensor(gpu(), swiglu(gpu(), upload(x)));
  const tanh = await readTensor(gpu(), gelu(gpu(), upload(gates), "tanh"));
  const erf = await readTensor(gpu(), gelu(gpu(), upload(gates), "erf"));
  const expected = [0, 0, 0, 0, 88, 300, 1e4, 0];
  for (const values of [gated, tanh, erf]) {
    expected.forEach((e, i) => {
      expect(Math.abs((values[i] ?? Number.NaN) - e)).toBeLessThan(1e-7 * Math.max(1, e) + 1e-30);
    });
  }
});

it("gelu's erf form is right to 1e-7 of its argument", async () => {
  using _ = gpu().scope();
  const x = Float32Array.from({ length: 2000 }, (_, i) => (i - 1000) / 140);
  const y = await readTensor(gpu(), gelu(gpu(), upload(x), "erf"));
  let worst = 0;
  x.forEach((v, i) => {
    worst = Math.max(worst, Math.abs((y[i] ?? Number.NaN) - pointwise.geluErf(v)) / Math.max(1, Math.abs(v)));
  });
  expect(worst).toBeLessThan(2e-7);
});

it("addInto adds in place, with NaN and Inf", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      async (rows, cols, seed) => {
        using _ = gpu().scope();
        const a = normals(seed, rows * cols);
        const b = normals(seed + 1, rows * cols);
        if (rows > 0) b[0] = Number.NaN;
        if (rows > 1) b[cols] = Number.POSITIVE_INFINITY;
        const y = upload(a, cols);
        addInto(gpu(), y, upload(b, cols));
        expect(await readTensor(gpu(), y)).toEqual(a.map((v, i) => v + (b[i] ?? 0)));
      },
    ),
    { numRuns: 10 },
  );
});

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const x = upload(normals(1, 6), 3);
  expect(() => rmsNorm(gpu(), x, upload(normals(1, 4)), eps)).toThrow(/rmsNorm/);
  expect(() => layerNorm(gpu(), x, upload(normals(1, 3)), upload(normals(1, 4)), eps)).toThrow(/layerNorm/);
  expect(() => swiglu(gpu(), x)).toThrow(/swiglu/);
  expect(() => addInto(gpu(), x, upload(normals(1, 6), 2))).toThrow(/addInto/);
});

it("every row kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(rowKernels);
});
