/** @file Dropout: the mask that its definition gives, whatever the packing; its share of zeros; NaN and Inf. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { pack } from "../../src/data/pack.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import {
  type DropoutOptions,
  dropout,
  dropoutKernels,
  uploadDropoutKeys,
} from "../../src/kernels/dropout.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../../src/kernels/packed-batch.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import { dropoutMask } from "../reference/dropout.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { readPadded } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 8 } });

const sequence = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 7 });
const items = fc.array(fc.array(sequence, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
type Mask = Omit<DropoutOptions, "keys">;
const masks: fc.Arbitrary<Mask> = fc.record({
  p: fc.constantFrom(0, 0.1, 0.5, 0.9),
  seed: fc.oneof(fc.nat(), fc.constant(2 ** 40 + 5)),
  step: fc.nat(),
  module: fc.nat({ max: 300 }),
});

const packed = (list: readonly (readonly number[])[][]) =>
  pack(list.map((sequences) => ({ sequences: sequences.map((ids) => Int32Array.from(ids)) })));

/** Applies dropout to x [T, cols]; `into` is added to. */
async function apply(
  batch: PackedBatch,
  x: Float32Array,
  mask: Mask,
  into?: Float32Array,
): Promise<Float32Array> {
  using _ = gpu().scope();
  const cols = x.length / batch.rows;
  const on = (values: Float32Array) => uploadTensor(gpu(), values, cols, "x");
  const keys = uploadDropoutKeys(gpu(), batch, batch.rows + 3);
  return await readPadded(
    gpu(),
    dropout(gpu(), on(x), { ...mask, keys }, into === undefined ? undefined : on(into)),
  );
}

it("is the mask of its definition on every sequence, packed with others or not", async () => {
  await fc.assert(
    fc.asyncProperty(items, masks, fc.integer({ min: 1, max: 9 }), async (list, mask, cols) => {
      const batch = packed(list);
      const values = await apply(batch, new Float32Array(batch.rows * cols).fill(1), mask);
      for (const [n, ids] of list.flat().entries()) {
        expect(sequenceLength(batch, n)).toBe(ids.length);
        const expected = dropoutMask(
          mask,
          ids.map((_, p) => ids.slice(0, p + 1)),
          cols,
        );
        for (let p = 0; p < ids.length; p++) {
          const row = rowOf(batch, n, p);
          expect(values.subarray(row * cols, (row + 1) * cols)).toEqual(
            Float32Array.from(expected.subarray(p * cols, (p + 1) * cols)),
          );
        }
      }
    }),
    { numRuns: 25 },
  );
});

it("multiplies, or adds the product; NaN and Inf come out also where it drops", async () => {
  const batch = packed([[[1, 2, 3, 4, 5, 6]]]);
  const mask = { p: 0.5, seed: 1, step: 2, module: 3 };
  const cols = 10;
  const x = normals(1, 60);
  const ones = await apply(batch, new Float32Array(60).fill(1), mask);
  expect(await apply(batch, x, mask)).toEqual(x.map((v, i) => v * ones[i]!));
  const start = normals(2, 60);
  expect(await apply(batch, x, mask, start)).toEqual(x.map((v, i) => Math.fround(v * ones[i]!) + start[i]!));
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const dropped = ones.indexOf(0);
    const poisoned = x.slice();
    poisoned[dropped] = bad;
    const y = await apply(batch, poisoned, mask);
    expect([...y.keys()].filter((i) => !Number.isFinite(y[i]))).toEqual([dropped]);
  }
  expect(cols).toBe(x.length / batch.rows);
});

it("drops its share, and another one with another seed, step, module or token", async () => {
  const ids = Array.from({ length: 100 }, (_, i) => i % 7);
  const first: Mask = { p: 0.3, seed: 5, step: 1, module: 0 };
  const ones = new Float32Array(100 * 64).fill(1);
  const y = await apply(packed([[ids]]), ones, first);
  const share = y.filter((v) => v === 0).length / y.length;
  // Six standard deviations.
  expect(Math.abs(share - 0.3)).toBeLessThan(6 * Math.sqrt((0.3 * 0.7) / y.length));
  const others = [
    [ids, { ...first, seed: 6 }],
    [ids, { ...first, step: 2 }],
    [ids, { ...first, module: 1 }],
    [[8, ...ids.slice(1)], first],
  ] as const;
  for (const [tokens, mask] of others) {
    const other = await apply(packed([[tokens]]), ones, mask);
    const equal = other.filter((v, i) => v === y[i]).length / y.length;
    expect(Math.abs(equal - 0.58)).toBeLessThan(6 * Math.sqrt((0.58 * 0.42) / y.length));
  }
});

it("refuses a probability outside of [0, 1)", async () => {
  using _ = gpu().scope();
  const batch = packed([[[1, 2]]]);
  const keys = uploadDropoutKeys(gpu(), batch, 2);
  const x = uploadTensor(gpu(), normals(1, 4), 2, "x");
  for (const p of [1, -0.1, Number.NaN])
    expect(() => dropout(gpu(), x, { p, seed: 0, step: 0, module: 0, keys })).toThrow(/\[0, 1\)/);
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(dropoutKernels);
});
