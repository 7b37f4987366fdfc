/** @file Gradients of norms, activations and biases against float64; written and added; NaN and Inf. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { biasGradient } from "../../src/kernels/bias-gradient.ts";
import { geluGradient } from "../../src/kernels/gelu-gradient.ts";
import {
  layerNormInputGradient,
  layerNormWeightGradient,
  rmsNormInputGradient,
  rmsNormWeightGradient,
} from "../../src/kernels/norm-gradient.ts";
import { rowGradientKernels } from "../../src/kernels/row-gradient-kernels.ts";
import { swigluGradient } from "../../src/kernels/swiglu-gradient.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import * as reference from "../reference/layer-gradients.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { checkPropagation, type RowCase, readPadded } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 30 } });
const upload = (data: Float32Array, cols = data.length) => uploadTensor(gpu(), data, cols, "operand");
const eps = 1e-3;

const shapes = (least: number) =>
  fc.record({
    rows: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 60, max: 300 })),
    cols: fc.oneof(fc.integer({ min: least, max: 20 }), fc.integer({ min: 30, max: 150 })),
    into: fc.boolean(),
    seed: fc.nat(),
  });

/** |a - b| <= 1e-5 |b| + 1e-6: a gradient of 0 has no relative error. */
function expectClose(actual: ArrayLike<number>, expected: Float64Array): void {
  expect(relativeError([...Array.from(actual), 0.1], [...expected, 0.1])).toBeLessThan(1e-5);
}

const plus = (start: Float32Array, sums: Float64Array, into: boolean) =>
  sums.map((v, i) => v + (into ? (start[i] ?? 0) : 0));

const norms = {
  rmsNorm: { input: rmsNormInputGradient, reference: reference.rmsNormGradient, least: 1 },
  layerNorm: { input: layerNormInputGradient, reference: reference.layerNormGradient, least: 2 },
} as const;

const inputCases = Object.entries(norms).flatMap(([name, norm]) =>
  ["shared", "single"].map((variant) => [name, variant, norm] as const),
);

it.each(inputCases)("%s, %s: the gradient of its input, written and added", async (_, variant, norm) => {
  await fc.assert(
    fc.asyncProperty(shapes(norm.least), async ({ rows, cols, into, seed }) => {
      using _ = gpu().scope();
      const [dy, x, start] = [1, 2, 3].map((s) => normals(seed + s, rows * cols)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const gain = normals(seed + 4, cols);
      const sum = into ? upload(start, cols) : undefined;
      const dx = gpu().variants.forcing("norm_input_gradient", variant, () =>
        norm.input(gpu(), upload(dy, cols), upload(x, cols), upload(gain), eps, sum),
      );
      expectClose(await readPadded(gpu(), dx), plus(start, norm.reference(dy, x, gain, eps).dx, into));
    }),
    { numRuns: 15 },
  );
});

it.each(Object.entries(norms))(
  "%s: the gradients of weight and bias are added, the same bits each time",
  async (name, norm) => {
    await fc.assert(
      fc.asyncProperty(shapes(norm.least), async ({ rows, cols, seed }) => {
        using _ = gpu().scope();
        const dy = normals(seed + 1, rows * cols);
        const x = normals(seed + 2, rows * cols);
        const start = normals(seed + 3, cols);
        const run = async () => {
          const [weight, bias] = [upload(start), upload(start)];
          const on = [gpu(), upload(dy, cols), upload(x, cols), eps] as const;
          if (name === "rmsNorm") rmsNormWeightGradient(...on, weight);
          else layerNormWeightGradient(...on, weight, bias);
          return [await readPadded(gpu(), weight), await readPadded(gpu(), bias)] as const;
        };
        const [weight, bias] = await run();
        const { dGain } = norm.reference(dy, x, new Float32Array(cols).fill(1), eps);
        expectClose(weight, plus(start, dGain, true));
        if (name === "layerNorm") expectClose(bias, plus(start, reference.biasGradient(dy, cols), true));
        expect(await run()).toEqual([weight, bias]);
      }),
      { numRuns: 15 },
    );
  },
);

it("layerNorm's gradients keep their digits when the mean is large", async () => {
  using _ = gpu().scope();
  const cols = 100;
  const dy = normals(1, 300);
  const x = normals(2, 300).map((v) => v + 1000);
  const gain = normals(3, cols);
  const weight = upload(new Float32Array(cols));
  const dx = layerNormInputGradient(gpu(), upload(dy, cols), upload(x, cols), upload(gain), eps);
  layerNormWeightGradient(
    gpu(),
    upload(dy, cols),
    upload(x, cols),
    eps,
    weight,
    upload(new Float32Array(cols)),
  );
  const expected = reference.layerNormGradient(dy, x, gain, eps);
  expect(relativeError(await readTensor(gpu(), dx), expected.dx)).toBeLessThan(1e-4);
  expect(relativeError(await readTensor(gpu(), weight), expected.dGain)).toBeLessThan(1e-4);
});

it("biasGradient adds the sums of columns", async () => {
  await fc.assert(
    fc.asyncProperty(shapes(1), async ({ rows, cols, seed }) => {
      using _ = gpu().scope();
      const dy = normals(seed, rows * cols);
      const start = normals(seed + 1, cols);
      const into = upload(start);
      biasGradient(gpu(), upload(dy, cols), into);
      expectClose(await readPadded(gpu(), into), plus(start, reference.biasGradient(dy, cols), true));
    }),
    { numRuns: 15 },
  );
});

it("swigluGradient", async () => {
  await fc.assert(
    fc.asyncProperty(shapes(1), async ({ rows, cols, seed }) => {
      using _ = gpu().scope();
      const dy = normals(seed, rows * cols);
      const gateUp = normals(seed + 1, rows * cols * 2, 4);
      const d = swigluGradient(gpu(), upload(dy, cols), upload(gateUp, 2 * cols));
      expectClose(await readPadded(gpu(), d), reference.swigluGradient(dy, gateUp, cols));
    }),
    { numRuns: 15 },
  );
});

const slopes = { tanh: reference.geluTanhSlope, erf: reference.geluErfSlope } as const;

it.each(["tanh", "erf"] as const)("geluGradient, %s", async (form) => {
  await fc.assert(
    fc.asyncProperty(shapes(1), async ({ rows, cols, seed }) => {
      using _ = gpu().scope();
      const dy = normals(seed, rows * cols);
      const x = normals(seed + 1, rows * cols, 3);
      const dx = geluGradient(gpu(), upload(dy, cols), upload(x, cols), form);
      expectClose(
        await readPadded(gpu(), dx),
        Float64Array.from(x, (v, i) => slopes[form](v) * dy[i]!),
      );
    }),
    { numRuns: 10 },
  );
});

it("activations' gradients stay right for large arguments", async () => {
  using _ = gpu().scope();
  const gates = Float32Array.of(-1e25, -1e4, -300, -100, -88, 88, 300, 1e4, 1e25, 0);
  const ones = new Float32Array(gates.length).fill(1);
  const slope = [0, 0, 0, 0, 0, 1, 1, 1, 1, 0.5];
  const gated = await readTensor(
    gpu(),
    swigluGradient(gpu(), upload(ones), upload(Float32Array.of(...gates, ...ones))),
  );
  const tanh = await readTensor(gpu(), geluGradient(gpu(), upload(ones), upload(gates), "tanh"));
  const erf = await readTensor(gpu(), geluGradient(gpu(), upload(ones), upload(gates), "erf"));
  for (const [i, expected] of slope.entries()) {
    for (const values of [gated, tanh, erf]) expect(Math.abs(values[i]! - expected)).toBeLessThan(1e-6);
  }
  // d up = silu(gate)
  const silu = [0, 0, 0, 0, 0, 88, 300, 1e4, 1e25, 0];
  for (const [i, expected] of silu.entries()) {
    expect(Math.abs(gated[gates.length + i]! - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, expected));
  }
});

type Pointwise = (dy: Tensor, x: Tensor) => Tensor;
const together =
  (dyCols: number, operation: Pointwise): RowCase["operation"] =>
  () =>
  (x) =>
    operation(upload(normals(9, x.rows * dyCols), dyCols), x);
const none: RowCase["reference"] = () => new Float64Array();
const inNorm =
  (variant: string, input: typeof rmsNormInputGradient): Pointwise =>
  (dy, x) =>
    gpu().variants.forcing("norm_input_gradient", variant, () =>
      input(gpu(), dy, x, upload(normals(3, x.cols)), eps),
    );
const inX: Record<string, Pointwise> = {
  ...Object.fromEntries(
    inputCases.map(([name, variant, norm]) => [`${name} ${variant}`, inNorm(variant, norm.input)]),
  ),
  geluTanh: (dy, x) => geluGradient(gpu(), dy, x, "tanh"),
  geluErf: (dy, x) => geluGradient(gpu(), dy, x, "erf"),
  swiglu: (dy, x) => swigluGradient(gpu(), dy, x),
};

it.each(Object.entries(inX))(
  "%s: NaN and Inf in x or dy come out, in their row only",
  async (name, operation) => {
    const cols = 10;
    const dyCols = name === "swiglu" ? cols / 2 : cols;
    const inInput = {
      cols: fc.constant(cols),
      operation: together(dyCols, operation),
      reference: none,
    };
    await checkPropagation(gpu(), inInput, cols);
    const inDy: RowCase = {
      cols: fc.constant(dyCols),
      operation: () => (dy) => operation(dy, upload(normals(9, dy.rows * cols), cols)),
      reference: none,
    };
    await checkPropagation(gpu(), inDy, dyCols);
  },
);

it("sums over rows let NaN and Inf through, in their column only, and leave padding 0", async () => {
  const [rows, cols] = [130, 6];
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    using _ = gpu().scope();
    const dy = normals(1, rows * cols);
    dy[70 * cols + 5] = bad;
    const x = upload(normals(2, rows * cols), cols);
    const zeros = () => upload(new Float32Array(cols));
    const [rms, weight, bias, plain] = [zeros(), zeros(), zeros(), zeros()];
    rmsNormWeightGradient(gpu(), upload(dy, cols), x, eps, rms);
    layerNormWeightGradient(gpu(), upload(dy, cols), x, eps, weight, bias);
    biasGradient(gpu(), upload(dy, cols), plain);
    for (const sums of [rms, weight, bias, plain]) {
      (await readPadded(gpu(), sums)).forEach((v, i) => {
        expect(Number.isFinite(v), `${bad}, column ${i}`).toBe(i !== 5);
      });
    }
    // A row's norm mixes its columns: all are spoiled.
    const spoiled = normals(2, rows * cols);
    spoiled[3 * cols + 1] = bad;
    rmsNormWeightGradient(gpu(), upload(normals(1, rows * cols), cols), upload(spoiled, cols), eps, rms);
    expect(Number.isFinite((await readPadded(gpu(), rms))[1])).toBe(false);
  }
});

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const t = (rows: number, cols: number) => upload(normals(1, rows * cols), cols);
  expect(() => rmsNormInputGradient(gpu(), t(2, 3), t(2, 4), t(1, 4), eps)).toThrow(
    /rmsNormInputGradient dy/,
  );
  expect(() => layerNormInputGradient(gpu(), t(2, 4), t(2, 4), t(1, 3), eps)).toThrow(
    /layerNormInputGradient weight/,
  );
  expect(() => rmsNormWeightGradient(gpu(), t(2, 4), t(2, 4), eps, t(1, 3))).toThrow(
    /rmsNormWeightGradient into/,
  );
  expect(() => biasGradient(gpu(), t(2, 4), t(1, 5))).toThrow(/biasGradient into/);
  expect(() => swigluGradient(gpu(), t(2, 4), t(2, 4))).toThrow(/swigluGradient/);
  expect(() => geluGradient(gpu(), t(2, 4), t(3, 4), "erf")).toThrow(/geluGradient/);
});

it("every kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(rowGradientKernels);
});
