/** @file Token log-probabilities and their backward against float64; equal bits alone, in a batch and in windows; memory; NaN and Inf. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { tokenLogps, tokenLogpsBackward, tokenLogpsKernels } from "../../src/kernels/token-logps.ts";
import { createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import {
  tokenLogps as reference,
  tokenLogpsGradients as referenceGradients,
} from "../reference/token-logps.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { type VocabularyShape, vocabularyInputs, vocabularyShapes } from "../support/vocabulary-shapes.ts";
import { uploadWeight } from "../support/weights.ts";

const gpu = useGpu();
/** Weights over 4 KiB go in windows, tiles are of 16 tokens by 64 words; more than three workgroups fold the grid. */
const narrow = useGpu({ limits: { maxBinding: 4096, maxWorkgroups: 7 } });
type Device = ReturnType<typeof gpu>;

/** Against the size of what is subtracted: the log-probability of a nearly certain word is itself nearly 0. */
function scaledError(found: Float32Array, expected: Float64Array, lse: Float32Array): number {
  return Math.hypot(...found.map((v, i) => v - expected[i]!)) / Math.hypot(...expected, ...lse);
}

async function forward(
  on: Device,
  shape: VocabularyShape,
  hidden: Float32Array,
  targets: Int32Array,
  capacity = 0,
) {
  using _ = on.scope();
  const { logps, lse } = tokenLogps(
    on,
    uploadTensor(on, hidden, shape.width, "hidden", { capacity }),
    uploadWeight(on, vocabularyInputs(shape).weight, shape.width, shape.dtype),
    uploadTensor(on, targets, 1, "targets"),
  );
  return { logps: await readTensor(on, logps), lse: await readTensor(on, lse) };
}

describe.each([
  ["in one binding", gpu, vocabularyShapes(150, 400, 50)],
  ["in windows", narrow, vocabularyShapes(60, 300, 20)],
] as const)("%s", (_, device, shapes) => {
  it("equals float64, and each token alone the same bits", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(), async (shape, pick) => {
        using _ = device().scope();
        const { hidden, weight, targets } = vocabularyInputs(shape);
        const { logps, lse } = await forward(device(), shape, hidden, targets);
        const expected = reference(hidden, weight, targets, shape.width);
        expect(scaledError(logps, expected, lse)).toBeLessThan(1e-5);
        const e = pick % shape.tokens;
        const row = hidden.slice(e * shape.width, (e + 1) * shape.width);
        const alone = await forward(gpu(), shape, row, targets.slice(e, e + 1), 1 + (pick % 3000));
        expect([alone.logps[0], alone.lse[0]]).toEqual([logps[e], lse[e]]);
      }),
      { numRuns: 12 },
    );
  });

  it("backward equals float64, written and added", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async (shape, added) => {
        using _ = device().scope();
        const { width } = shape;
        const { hidden, weight, targets, gradient } = vocabularyInputs(shape);
        const start = { hidden: normals(8, hidden.length), weight: normals(9, weight.length) };
        const saved = {
          hidden: uploadTensor(device(), hidden, width, "hidden"),
          weight: uploadWeight(device(), weight, width, shape.dtype),
          targets: uploadTensor(device(), targets, 1, "targets"),
        };
        const { lse } = tokenLogps(device(), saved.hidden, saved.weight, saved.targets);
        const dWeight = uploadTensor(device(), start.weight, width, "dw");
        const dHidden = tokenLogpsBackward(
          device(),
          { ...saved, lse, gradient: uploadTensor(device(), gradient, 1, "gradient") },
          {
            hidden: added ? uploadTensor(device(), start.hidden, width, "dhidden") : "new",
            weight: dWeight,
          },
        );
        const expected = referenceGradients(hidden, weight, targets, gradient, width);
        // Against the size of what is summed: with one word or a certain one the gradient itself is 0.
        const slack = 1e-5 * Math.hypot(...gradient) * Math.hypot(...weight.subarray(0, width), 1);
        const difference = (found: Float32Array, sums: Float64Array, from?: Float32Array) =>
          Math.hypot(...found.map((v, i) => v - (sums[i]! + (from?.[i] ?? 0))));
        const scale = (values: Float64Array, from?: Float32Array) => Math.hypot(...values, ...(from ?? []));
        expect(
          difference(await readTensor(device(), dHidden!), expected.hidden, added ? start.hidden : undefined),
        ).toBeLessThan(slack + 1e-5 * scale(expected.hidden, added ? start.hidden : undefined));
        expect(difference(await readTensor(device(), dWeight), expected.weight, start.weight)).toBeLessThan(
          1e-5 * scale(expected.weight, start.weight),
        );
      }),
      { numRuns: 12 },
    );
  });
});

it.each([
  ["in one binding", gpu],
  ["in windows", narrow],
] as const)("a low-rank update of the weight is a wider weight and wider states, %s", async (_, device) => {
  await fc.assert(
    fc.asyncProperty(vocabularyShapes(40, 200, 20), fc.integer({ min: 1, max: 9 }), async (shape, r) => {
      using _ = device().scope();
      const { tokens, vocabulary, width } = shape;
      const { hidden, weight, targets, gradient } = vocabularyInputs(shape);
      const low = normals(shape.seed + 4, tokens * r);
      const b = normals(shape.seed + 5, vocabulary * r);
      const beside = (x: Float32Array, y: Float32Array) =>
        Float32Array.from({ length: x.length + y.length }, (_, i) => {
          const [row, col] = [Math.floor(i / (width + r)), i % (width + r)];
          return (col < width ? x[row * width + col] : y[row * r + col - width]) ?? 0;
        });
      const wide = [beside(hidden, low), beside(weight, b)] as const;
      const saved = {
        hidden: uploadTensor(device(), hidden, width, "hidden"),
        weight: uploadWeight(device(), weight, width, shape.dtype),
        targets: uploadTensor(device(), targets, 1, "targets"),
        update: { low: uploadTensor(device(), low, r, "low"), b: uploadTensor(device(), b, r, "b") },
      };
      const { logps, lse } = tokenLogps(device(), saved.hidden, saved.weight, saved.targets, saved.update);
      const logProbs = reference(...wide, targets, width + r);
      const scale = await readTensor(device(), lse);
      expect(scaledError(await readTensor(device(), logps), logProbs, scale)).toBeLessThan(1e-5);
      const begin = normals(7, b.length);
      const into = {
        low: createTensor(device(), tokens, r, "d low"),
        b: uploadTensor(device(), begin, r, "d b"),
      };
      const dHidden = tokenLogpsBackward(
        device(),
        { ...saved, lse, gradient: uploadTensor(device(), gradient, 1, "gradient") },
        { hidden: "new", update: into },
      );
      const expected = referenceGradients(...wide, targets, gradient, width + r);
      const cut = (x: Float64Array, first: number, count: number) =>
        x.filter((_, i) => i % (width + r) >= first && i % (width + r) < first + count);
      const slack = 1e-5 * Math.hypot(...gradient) * Math.hypot(...wide[1].subarray(0, width + r), 1);
      const check = async (found: Float32Array, sums: Float64Array) =>
        expect(Math.hypot(...found.map((v, i) => v - sums[i]!))).toBeLessThan(
          slack + 1e-5 * Math.hypot(...sums),
        );
      await check(await readTensor(device(), dHidden!), cut(expected.hidden, 0, width));
      await check(await readTensor(device(), into.low), cut(expected.hidden, width, r));
      const dB = cut(expected.weight, width, r).map((d, i) => d + begin[i]!);
      await check(await readTensor(device(), into.b), dB);
    }),
    { numRuns: 8 },
  );
});

it("the reference's gradients are its finite differences", () => {
  const shape: VocabularyShape = { tokens: 3, vocabulary: 5, width: 4, dtype: "f32", seed: 4 };
  const { hidden, weight, targets, gradient } = vocabularyInputs(shape);
  const loss = (h: Float64Array, w: Float64Array) =>
    reference(h, w, targets, shape.width).reduce((sum, logp, e) => sum + gradient[e]! * logp, 0);
  const found = referenceGradients(hidden, weight, targets, gradient, shape.width);
  const points = { hidden: Float64Array.from(hidden), weight: Float64Array.from(weight) };
  for (const name of ["hidden", "weight"] as const) {
    const x = points[name];
    const differences = x.map((value, i) => {
      const at = (moved: number) => {
        x[i] = moved;
        const result = loss(points.hidden, points.weight);
        x[i] = value;
        return result;
      };
      return (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
    });
    expect(relativeError(found[name], differences)).toBeLessThan(1e-8);
  }
});

it("memory does not grow with tokens times vocabulary, forward or backward", async () => {
  const peak = (tokens: number, vocabulary: number): number => {
    using _ = gpu().scope();
    const hidden = uploadTensor(gpu(), normals(1, 4 * tokens), 4, "hidden");
    const weight = uploadTensor(gpu(), normals(2, 4 * vocabulary), 4, "weight");
    const targets = uploadTensor(gpu(), new Int32Array(tokens), 1, "targets");
    gpu().resetPeak();
    const before = gpu().memory.live;
    const { lse } = tokenLogps(gpu(), hidden, weight, targets);
    tokenLogpsBackward(gpu(), { hidden, weight, targets, lse, gradient: lse }, { hidden: "new" });
    return gpu().memory.peak - before;
  };
  const small = peak(2048, 2048);
  expect(peak(2048, 6000)).toBe(small);
  expect(small).toBeLessThan(2 ** 24);
  await gpu().finish();
});

it("NaN and Inf in a token reach its own row only, those in a weight every row", async () => {
  using _ = gpu().scope();
  const shape: VocabularyShape = { tokens: 9, vocabulary: 131, width: 6, dtype: "f32", seed: 2 };
  const { hidden, weight, targets, gradient } = vocabularyInputs(shape);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const run = async (h: Float32Array, w: Float32Array) => {
      const saved = {
        hidden: uploadTensor(gpu(), h, 6, "hidden"),
        weight: uploadTensor(gpu(), w, 6, "weight"),
        targets: uploadTensor(gpu(), targets, 1, "targets"),
      };
      const { logps, lse } = tokenLogps(gpu(), saved.hidden, saved.weight, saved.targets);
      const dHidden = tokenLogpsBackward(
        gpu(),
        { ...saved, lse, gradient: uploadTensor(gpu(), gradient, 1, "gradient") },
        { hidden: "new" },
      );
      const rows = await readTensor(gpu(), dHidden!);
      return {
        logps: [...(await readTensor(gpu(), logps))].map(Number.isFinite),
        gradients: Array.from({ length: 9 }, (_, e) =>
          rows.subarray(6 * e, 6 * e + 6).every(Number.isFinite),
        ),
      };
    };
    const one = hidden.slice();
    one[4 * 6 + 2] = bad;
    const others = Array.from({ length: 9 }, (_, e) => e !== 4);
    expect(await run(one, weight)).toEqual({ logps: others, gradients: others });
    const word = weight.slice();
    word[130 * 6 + 1] = bad;
    expect((await run(hidden, word)).logps).toEqual(others.map(() => false));
  }
});

it("no tokens give empty results; shapes that do not fit are refused", () => {
  using _ = gpu().scope();
  const weight = uploadTensor(gpu(), normals(1, 12), 4, "weight");
  const ids = (n: number) => uploadTensor(gpu(), new Int32Array(n), 1, "targets");
  const none = createTensor(gpu(), 0, 4, "hidden");
  const { logps, lse } = tokenLogps(gpu(), none, weight, ids(0));
  expect([logps.rows, lse.rows]).toEqual([0, 0]);
  const dHidden = tokenLogpsBackward(
    gpu(),
    { hidden: none, weight, targets: ids(0), lse, gradient: lse },
    { hidden: "new" },
  );
  expect(dHidden?.rows).toBe(0);
  expect(() => tokenLogps(gpu(), createTensor(gpu(), 2, 3, "h"), weight, ids(2))).toThrow(
    /tokenLogps hidden/,
  );
  expect(() => tokenLogps(gpu(), createTensor(gpu(), 2, 4, "h"), weight, ids(1))).toThrow(
    /tokenLogps targets/,
  );
});

it("every kernel compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(tokenLogpsKernels);
});
