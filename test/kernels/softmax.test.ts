/** @file Softmax and its backward against float64; rows alone as in a batch; NaN, Inf and large logits. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { softmax, softmaxGradient } from "../../src/kernels/softmax.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { softmaxGradient as gradientReference } from "../reference/layer-gradients.ts";
import { softmax as reference } from "../reference/layers.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { checkRows, readPadded } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 4 } });
const upload = (data: Float32Array, cols = data.length) => uploadTensor(gpu(), data, cols, "operand");
const columns = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 30, max: 600 }));

it("softmax equals its float64 reference, a row alone as in a batch", async () => {
  await checkRows(gpu(), { cols: columns, scale: 4, operation: () => (x) => softmax(gpu(), x), reference });
});

it("softmax's gradient equals its float64 reference, written and added", async () => {
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
      const dx = softmaxGradient(
        gpu(),
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
});

/** Three rows of one width; the middle one holds `values` and then zeros. */
async function between(values: readonly number[], cols: number) {
  using _ = gpu().scope();
  const x = normals(1, 3 * cols);
  x.fill(0, cols, 2 * cols).set(values, cols);
  const rows = await readPadded(gpu(), softmax(gpu(), upload(x, cols)));
  for (const row of [0, 2])
    expect([...rows.slice(row * cols, (row + 1) * cols)].every(Number.isFinite)).toBe(true);
  return [...rows.slice(cols, 2 * cols)];
}

it.each([1, 5, 70, 300])(
  "NaN, Inf and a row of -Inf alone spoil all of their row: %i columns",
  async (cols) => {
    const first = cols - 1;
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const at of [0, first]) {
        const row = await between([...new Array<number>(at).fill(0), bad], cols);
        expect(row.every(Number.isNaN), `${bad} in column ${at}`).toBe(true);
      }
    }
    const row = await between(new Array<number>(cols).fill(Number.NEGATIVE_INFINITY), cols);
    expect(row.every(Number.isNaN)).toBe(true);
  },
);

it("-Inf weighs nothing, and logits of any size stay right", async () => {
  const inf = Number.NEGATIVE_INFINITY;
  expect(await between([inf, 0, inf], 4)).toEqual([0, 0.5, 0, 0.5]);
  expect(await between([3e38, 3e38, -3e38, 1], 4)).toEqual([0.5, 0.5, 0, 0]);
  expect(await between([-3e38, -3e38], 2)).toEqual([0.5, 0.5]);
});

it("NaN and Inf in dy or y come out of the gradient, in their row only", async () => {
  const cols = 10;
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const operand of [0, 1]) {
      using _ = gpu().scope();
      const given = [normals(1, 3 * cols), normals(2, 3 * cols)] as const;
      given[operand]![cols + 3] = bad;
      const dx = await readTensor(
        gpu(),
        softmaxGradient(gpu(), upload(given[0], cols), upload(given[1], cols)),
      );
      dx.forEach((v, i) => {
        if (Math.floor(i / cols) !== 1) expect(Number.isFinite(v)).toBe(true);
      });
      expect([...dx.slice(cols, 2 * cols)].every(Number.isFinite)).toBe(false);
    }
  }
});

it("shapes that do not fit are refused by the operation's name", () => {
  using _ = gpu().scope();
  const t = (rows: number, cols: number) => upload(normals(1, rows * cols), cols);
  expect(() => softmaxGradient(gpu(), t(2, 3), t(2, 4))).toThrow(/softmaxGradient dy/);
  expect(() => softmaxGradient(gpu(), t(2, 4), t(2, 4), t(2, 3))).toThrow(/softmaxGradient into/);
});
