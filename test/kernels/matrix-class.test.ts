/** @file The tensor-core class, emulated: its products against float64 on factors rounded to f16; equal bits; Inf and NaN. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { linear } from "../../src/kernels/linear.ts";
import { linearInputGradient, linearWeightGradient } from "../../src/kernels/linear-gradient.ts";
import { checkMatrixClass } from "../../src/kernels/matrix-check.ts";
import { roundedFactor, roundedWeight } from "../../src/kernels/rounded-factors.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { roundF16 } from "../reference/rounding.ts";
import { useGpu } from "../support/gpu.ts";
import { type MatrixCase, matrixCases, matrixInputs, matrixProducts } from "../support/matrix-class.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { rounded, uploadWeight, weightDtypes } from "../support/weights.ts";

const gpu = useGpu({ precision: "f16-emulated" });
const default32 = useGpu();
/** Weights over 12 KiB go in windows. */
const windowing = useGpu({ precision: "f16-emulated", limits: { maxBinding: 12288, maxWorkgroups: 9 } });

const layer: MatrixCase = {
  rows: 9,
  k: 20,
  outs: 16,
  dtype: "f32",
  seed: 5,
  into: false,
  bias: false,
  exponent: 0,
};

/** y, dx and dw of a case. */
async function run(device: ReturnType<typeof gpu>, c: MatrixCase) {
  using _ = device.scope();
  const { x, w, dy, bias, old } = matrixInputs(c);
  const [X, DY] = [uploadTensor(device, x, c.k, "x"), uploadTensor(device, dy, c.outs, "dy")];
  const W = uploadWeight(device, w, c.k, c.dtype);
  const y = linear(device, X, W, {
    ...(bias && { bias: uploadTensor(device, bias, c.outs, "bias") }),
    ...(c.into && { into: uploadTensor(device, old.y, c.outs, "y") }),
  });
  const dx = linearInputGradient(device, DY, W, c.into ? uploadTensor(device, old.dx, c.k, "dx") : undefined);
  const dw = c.into ? uploadTensor(device, old.dw, c.k, "dw") : createTensor(device, c.outs, c.k, "dw");
  linearWeightGradient(device, DY, X, dw, c.into);
  const read = (tensor: Tensor) => readTensor(device, tensor);
  return { y: await read(y), dx: await read(dx), dw: await read(dw) };
}

it("products equal float64 on rounded factors, with old values, biases and windows", async () => {
  await fc.assert(
    fc.asyncProperty(matrixCases({ rows: 40, k: 60, outs: 70 }), async (c) => {
      const found = await run(gpu(), c);
      const expected = matrixProducts(c);
      for (const name of ["y", "dx", "dw"] as const)
        expect(relativeError(found[name], expected[name]), name).toBeLessThan(1e-5);
      const windowed = await run(windowing(), c);
      expect([windowed.y, windowed.dw], "in windows").toEqual([found.y, found.dw]);
      expect(relativeError(windowed.dx, expected.dx), "dx in windows").toBeLessThan(1e-5);
    }),
    { numRuns: 12 },
  );
});

it("weights of fewer than eight outputs or inputs stay in f32, bit for bit", async () => {
  for (const shape of [{ k: 7 }, { outs: 7 }, { outs: 1 }])
    expect(await run(gpu(), { ...layer, ...shape })).toEqual(await run(default32(), { ...layer, ...shape }));
  const eight = { ...layer, k: 8, outs: 8 };
  expect((await run(gpu(), eight)).y).not.toEqual((await run(default32(), eight)).y);
});

it("a row alone has the bits that it has in a batch", async () => {
  using _ = gpu().scope();
  const [rows, k, outs] = [21, 33, 18];
  const x = normals(1, rows * k);
  for (const dtype of weightDtypes) {
    const weight = uploadWeight(gpu(), rounded(normals(2, outs * k), dtype), k, dtype);
    const batch = await readTensor(gpu(), linear(gpu(), uploadTensor(gpu(), x, k, "x"), weight));
    for (const r of [0, 7, 20]) {
      const row = uploadTensor(gpu(), x.slice(r * k, (r + 1) * k), k, "row");
      expect(await readTensor(gpu(), linear(gpu(), row, weight))).toEqual(
        batch.slice(r * outs, (r + 1) * outs),
      );
    }
  }
});

it("rounding is to the nearest f16, ties to even, down to its smallest numbers and past its largest", async () => {
  using _ = gpu().scope();
  const ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2048.5 * 2 ** -24, 2049 * 2 ** -25, 2 ** -25, 3 * 2 ** -25];
  const edges = [0, -0, 65_504, 65_519.99, 65_520, 1e9, -1e9, 2 ** -14, 2 ** -14 - 2 ** -26, 2 ** -26, 1e-30];
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const many = normals(7, 500).map((v, i) => v * 2 ** ((i % 44) - 28));
  const values = Float32Array.of(...ties, ...ties.map((v) => -v), ...edges, ...special, ...many);
  const cols = 12;
  const all = values.slice(0, Math.floor(values.length / cols) * cols);
  const expected = all.map(roundF16);
  expect(await readTensor(gpu(), roundedFactor(gpu(), uploadTensor(gpu(), all, cols, "x")))).toEqual(
    expected,
  );
  const wide = uploadWeight(gpu(), all, cols, "bf16");
  const packed = roundedWeight(gpu(), wide);
  expect(packed.dtype).toBe("f16");
  const bits = new Uint16Array(await gpu().read(packed.buffer, 0, packed.rows * packed.rowBytes));
  const stored = uploadWeight(gpu(), rounded(all, "bf16"), cols, "f16");
  const same = new Uint16Array(await gpu().read(stored.buffer, 0, stored.rows * stored.rowBytes));
  expect(bits).toEqual(same);
});

it("a gradient too small for f16 keeps its digits, and a large one does not overflow", async () => {
  for (const exponent of [-110, -40, 0, 25, 100]) {
    const c = { ...layer, exponent };
    const [found, expected] = [await run(gpu(), c), matrixProducts(c)];
    expect(relativeError(found.dx, expected.dx), `dx at 2^${exponent}`).toBeLessThan(1e-5);
    expect(relativeError(found.dw, expected.dw), `dw at 2^${exponent}`).toBeLessThan(1e-5);
  }
});

/** Everything is finite but one row, in which nothing is. */
function expectFinite(values: Float32Array, cols: number, except: number): void {
  const rows = values.map((v, i) => (Number.isFinite(v) ? -1 : Math.floor(i / cols)));
  expect([...rows].filter((row) => row >= 0)).toEqual(Array(cols).fill(except));
}

it("Inf, NaN and what f16 can't hold come out in their row and no other", async () => {
  using _ = gpu().scope();
  const [rows, k, outs] = [9, 16, 12];
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 70_000, -1e6]) {
    const x = normals(1, rows * k);
    x[4 * k + 5] = bad;
    const weight = uploadTensor(gpu(), normals(2, outs * k), k, "w");
    const y = await readTensor(gpu(), linear(gpu(), uploadTensor(gpu(), x, k, "x"), weight));
    expectFinite(y, outs, 4);
    const dy = normals(3, rows * outs);
    dy[2 * outs + 3] = Math.abs(bad) < 1e9 ? Number.POSITIVE_INFINITY : bad;
    const dx = linearInputGradient(gpu(), uploadTensor(gpu(), dy, outs, "dy"), weight);
    expectFinite(await readTensor(gpu(), dx), k, 2);
  }
});

it("f16 is refused where the adapter has no matrix units, saying what there is", async () => {
  await expect(openGpu({ precision: "f16", exclude: ["shader-f16"] })).rejects.toThrow(
    /--precision f16 needs .* matrix units; this adapter lacks .*shader-f16.*f16-emulated/,
  );
});

it("the check of the class passes where products are of it, and says what is off where they are not", async () => {
  await checkMatrixClass(gpu());
  await expect(checkMatrixClass(default32())).rejects.toThrow(
    /x W\^T is off by .*dy W is off by .*dy\^T x is off by .*a value past 65,504 does not become Inf/,
  );
});
