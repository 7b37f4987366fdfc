/** @file Softmax and its backward against float64; rows alone as in a batch; NaN, Inf and large logits. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { softmax, softmaxGradient } from "../../src/kernels/softmax.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { softmaxGradient as gradientReference } from "../reference/layer-gradients.ts";
import { softmax as reference } from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { checkRows, type RowCase, readPadded, withVariants } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 4 } });
const upload = (data: Float32Array, cols = data.length) => uploadTensor(gpu(), data, cols, "operand");
const columns = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 30, max: 600 }));

const forward: RowCase = {
  cols: columns,
  scale: 4,
  operation: () => (x) => softmax(gpu(), x),
  reference,
};

it.each(withVariants(gpu, "softmax", forward))(
  "%s equals its float64 reference, a row alone as in a batch",
  async (_, c) => {
    await checkRows(gpu(), c);
  },
);

const variants = ["shared", "single"];
const gradient = (variant: string, ...operands: [Tensor, Tensor, Tensor?]) =>
  gpu().variants.forcing("softmax_gradient", variant, () => softmaxGradient(gpu(), ...operands));

it.each(variants)(
  "softmax's gradient, %s, equals its float64 reference, written and added",
  async (variant) => {
    const shape = fc.record({
      rows: fc.integer({ min: 0, max: 40 }),
      cols: columns,
      into: fc.boolean(),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, cols, into, seed }) => {
        using _ = gpu().scope();
        const dy = normals(seed, rows * cols);
        const y = Float32Array.from(reference(normals(seed + 1, rows * cols, 2), cols));
        const start = normals(seed + 2, rows * cols);
        const dx = gradient(
          variant,
          upload(dy, cols),
          upload(y, cols),
          into ? upload(start, cols) : undefined,
        );
        const expected = gradientReference(dy, y, cols).map((v, i) => v + (into ? (start[i] ?? 0) : 0));
        // One column: the gradient is 0, and has no relative error.
        expect(relativeError([...(await readPadded(gpu(), dx)), 0.1], [...expected, 0.1])).toBeLessThan(1e-5);
      }),
      { numRuns: 15 },
    );
  },
);

/** Three rows of one width; the middle one holds `values` and then zeros. */
async function between(variant: string, values: readonly number[], cols: number) {
  using _ = gpu().scope();
  const x = normals(1, 3 * cols);
  x.fill(0, cols, 2 * cols).set(values, cols);
  const y = gpu().variants.forcing("softmax", variant, () => softmax(gpu(), upload(x, cols)));
  const rows = await readPadded(gpu(), y);
  for (const row of [0, 2])
    expect([...rows.slice(row * cols, (row + 1) * cols)].every(Number.isFinite)).toBe(true);
  return [...rows.slice(cols, 2 * cols)];
}

const widths = variants.flatMap((variant) => [1, 5, 70, 300].map((cols) => [variant, cols] as const));

it.each(widths)("%s: NaN, Inf and a row of -Inf alone spoil all of %i columns", async (variant, cols) => {
  const first = cols - 1;
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const at of [0, first]) {
      const row = await between(variant, [...new Array<number>(at).fill(0), bad], cols);
      expect(row.every(Number.isNaN), `${bad} in column ${at}`).toBe(true);
    }
  }
  const row = await between(variant, new Array<number>(cols).fill(Number.NEGATIVE_INFINITY), cols);
  expect(row.every(Number.isNaN)).toBe(true);
});

it.each(variants)("%s: -Inf weighs nothing, and logits of any size stay right", async (variant) => {
  const inf = Number.NEGATIVE_INFINITY;
  expect(await between(variant, [inf, 0, inf], 4)).toEqual([0, 0.5, 0, 0.5]);
  expect(await between(variant, [3e38, 3e38, -3e38, 1], 4)).toEqual([0.5, 0.5, 0, 0]);
  expect(await between(variant, [-3e38, -3e38], 2)).toEqual([0.5, 0.5]);
});

it.each(variants)(
  "%s: NaN and Inf in dy or y come out of the gradient, in their row only",
  async (variant) => {
    const cols = 10;
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const operand of [0, 1]) {
        using _ = gpu().scope();
        const given = [normals(1, 3 * cols), normals(2, 3 * cols)] as const;
        given[operand]![cols + 3] = bad;
        const dx = await readTensor(gpu(), gradient(variant, upload(given[0], cols), upload(given[1], cols)));
        dx.forEach((v, i) => {
          if (Math.floor(i / cols) !== 1) expect(Number.isFinite(v)).toBe(true);
        });
        expect([...dx.slice(cols, 2 * cols)].every(Number.isFinite)).toBe(false);
      }
    }
  },
);

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const t = (rows: number, cols: number) => upload(normals(1, rows * cols), cols);
  expect(() => softmaxGradient(gpu(), t(2, 3), t(2, 4))).toThrow(/softmaxGradient dy/);
  expect(() => softmaxGradient(gpu(), t(2, 4), t(2, 4), t(2, 3))).toThrow(/softmaxGradient into/);
});
