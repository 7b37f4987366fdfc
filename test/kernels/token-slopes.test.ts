/** @file Log-probabilities with their slopes against float64; log-probabilities' bits; large logits; NaN and Inf; memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenLogps } from "../../src/kernels/token-logps.ts";
import { scaleRows, tokenSlopes } from "../../src/kernels/token-slopes.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { tokenLogpsGradients as referenceGradients } from "../reference/token-logps.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { vocabularyInputs, vocabularyShapes } from "../support/vocabulary-shapes.ts";
import { uploadWeight } from "../support/weights.ts";

const gpu = useGpu();
/** Weights over 4 KiB go in windows, tiles are of 16 tokens by 64 words. */
const narrow = useGpu({ limits: { maxBinding: 4096, maxWorkgroups: 7 } });

/** Of the hidden states: large ones make one word certain, and the largest logit grow from tile to tile. */
const scales = fc.constantFrom(0, 1, 30);

describe.each([
  ["in one binding", gpu, vocabularyShapes(150, 400, 50)],
  ["in windows", narrow, vocabularyShapes(40, 300, 20)],
] as const)("%s", (_, device, shapes) => {
  it("slopes equal float64, log-probabilities have the bits of tokenLogps", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, scales, async (shape, scale) => {
        using _ = device().scope();
        const { hidden: unscaled, weight, targets } = vocabularyInputs(shape);
        const hidden = unscaled.map((h) => scale * h);
        const on = [
          device(),
          uploadTensor(device(), hidden, shape.width, "hidden"),
          uploadWeight(device(), weight, shape.width, shape.dtype),
          uploadTensor(device(), targets, 1, "targets"),
        ] as const;
        const found = tokenSlopes(...on);
        const plain = tokenLogps(...on);
        expect(await readTensor(device(), found.logps)).toEqual(await readTensor(device(), plain.logps));
        expect(await readTensor(device(), found.lse)).toEqual(await readTensor(device(), plain.lse));
        const ones = new Float32Array(shape.tokens).fill(1);
        const { hidden: expected } = referenceGradients(hidden, weight, targets, ones, shape.width);
        const slopes = await readTensor(device(), found.slopes);
        // Against the size of what is subtracted, and of the logits whose rounding shares follow.
        const size = Math.max(1, scale) * Math.sqrt(shape.tokens * shape.width);
        expect(Math.hypot(...slopes.map((v, i) => v - expected[i]!))).toBeLessThan(
          1e-5 * (Math.hypot(...expected) + size),
        );
      }),
      { numRuns: 20 },
    );
  });
});

it("NaN and Inf in a token reach its own slopes only, those in a word all", async () => {
  using _ = gpu().scope();
  const [tokens, vocabulary, width] = [9, 131, 6];
  const base = { tokens, vocabulary, width, dtype: "f32", seed: 2 } as const;
  const { hidden, weight, targets } = vocabularyInputs(base);
  const finite = async (h: Float32Array, w: Float32Array) => {
    const { slopes } = tokenSlopes(
      gpu(),
      uploadTensor(gpu(), h, width, "hidden"),
      uploadTensor(gpu(), w, width, "weight"),
      uploadTensor(gpu(), targets, 1, "targets"),
    );
    const rows = await readTensor(gpu(), slopes);
    return Array.from({ length: tokens }, (_, e) =>
      [...rows.subarray(width * e, width * (e + 1))].map(Number.isFinite),
    );
  };
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const one = hidden.slice();
    one[4 * width + 2] = bad;
    const rowsExcept = (row: number) =>
      Array.from({ length: tokens }, (_, e) => new Array(width).fill(e !== row));
    expect(await finite(one, weight)).toEqual(rowsExcept(4));
    const word = weight.slice();
    word[130 * width + 1] = bad;
    expect(await finite(hidden, word)).toEqual(rowsExcept(-1).map((row) => row.map(() => false)));
  }
});

it("memory does not grow with tokens times vocabulary", async () => {
  const peak = (vocabulary: number): number => {
    using _ = gpu().scope();
    const hidden = uploadTensor(gpu(), normals(1, 4 * 2048), 4, "hidden");
    const weight = uploadTensor(gpu(), normals(2, 4 * vocabulary), 4, "weight");
    const targets = uploadTensor(gpu(), new Int32Array(2048), 1, "targets");
    gpu().resetPeak();
    const before = gpu().memory.live;
    tokenSlopes(gpu(), hidden, weight, targets);
    return gpu().memory.peak - before;
  };
  expect(peak(6000)).toBe(peak(2048));
  await gpu().finish();
});

it("rows are scaled in place, padding stays zero", async () => {
  using _ = gpu().scope();
  const factors = [2, Number.NaN, -0.5, Number.POSITIVE_INFINITY];
  const values = normals(5, 4 * 6);
  const y = uploadTensor(gpu(), values, 6, "y");
  scaleRows(gpu(), y, uploadTensor(gpu(), Float32Array.from(factors), 1, "factors"));
  expect(await readTensor(gpu(), y)).toEqual(values.map((v, i) => v * factors[Math.floor(i / 6)]!));
  const padding = new Float32Array(await gpu().read(y.buffer, 0, 4 * y.rowBytes));
  expect(padding.filter((_, i) => i % y.stride >= 6)).toEqual(new Float32Array(4 * (y.stride - 6)));
});

it("no tokens give empty results; shapes that do not fit are refused", () => {
  using _ = gpu().scope();
  const weight = uploadTensor(gpu(), normals(1, 12), 4, "weight");
  const ids = (n: number) => uploadTensor(gpu(), new Int32Array(n), 1, "targets");
  expect(tokenSlopes(gpu(), createTensor(gpu(), 0, 4, "h"), weight, ids(0)).slopes.rows).toBe(0);
  expect(() => tokenSlopes(gpu(), createTensor(gpu(), 2, 3, "h"), weight, ids(2))).toThrow(
    /tokenSlopes hidden/,
  );
  expect(() => tokenSlopes(gpu(), createTensor(gpu(), 2, 4, "h"), weight, ids(1))).toThrow(
    /tokenSlopes targets/,
  );
});
