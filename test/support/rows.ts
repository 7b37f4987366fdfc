/** @file Checks that every kernel on rows passes: the float64 reference, single rows against the batch, NaN and Inf. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readTensor, type Tensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { normals, relativeError } from "./numbers.ts";

/** [rows, cols] on the device -> a result of as many rows. */
export type RowOperation = (x: Tensor) => Tensor;

export interface RowCase {
  /** Columns of the input. */
  readonly cols: fc.Arbitrary<number>;
  /** The operation for inputs of `cols` columns; `seed` for its weights. */
  readonly operation: (cols: number, seed: number) => RowOperation;
  readonly reference: (x: Float32Array, cols: number, seed: number) => Float64Array;
  readonly scale?: number;
}

/** The case with each of its operation's kernels. */
export function withVariants(gpu: () => Gpu, operation: string, c: RowCase): [string, RowCase][] {
  return ["shared", "single"].map((variant) => [
    `${operation} ${variant}`,
    {
      ...c,
      operation: (cols, seed) => {
        const run = c.operation(cols, seed);
        return (x) => gpu().variants.forcing(operation, variant, () => run(x));
      },
    },
  ]);
}

async function apply(
  gpu: Gpu,
  operation: RowOperation,
  x: Float32Array,
  cols: number,
): Promise<Float32Array> {
  using _ = gpu.scope();
  return await readPadded(gpu, operation(uploadTensor(gpu, x, cols, "x")));
}

/** The values of a tensor, whose padding must be zeros. */
export async function readPadded(gpu: Gpu, y: Tensor): Promise<Float32Array> {
  const raw = new Float32Array(await gpu.read(y.buffer, y.offset, y.rows * y.rowBytes));
  for (let r = 0; r < y.rows; r++) {
    expect(
      [...raw.subarray(r * y.stride + y.cols, (r + 1) * y.stride)].every((v) => v === 0),
      "padding is 0",
    ).toBe(true);
  }
  return readTensor(gpu, y);
}

const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

/** Relative error below 1e-5 over random shapes, and each row alone gives the same bits. */
export async function checkRows(gpu: Gpu, c: RowCase): Promise<void> {
  const input = fc.record({ rows: fc.integer({ min: 0, max: 40 }), cols: c.cols, seed: fc.nat() });
  await fc.assert(
    fc.asyncProperty(input, async ({ rows, cols, seed }) => {
      const x = normals(seed, rows * cols, c.scale ?? 1);
      const operation = c.operation(cols, seed + 1);
      const y = await apply(gpu, operation, x, cols);
      expect(relativeError(y, c.reference(x, cols, seed + 1))).toBeLessThan(1e-5);
      if (rows === 0) return;
      const r = seed % rows;
      const alone = await apply(gpu, operation, x.slice(r * cols, (r + 1) * cols), cols);
      const width = y.length / rows;
      expect(bits(alone)).toEqual(bits(y.slice(r * width, (r + 1) * width)));
    }),
    { numRuns: 15 },
  );
}

/** A row with NaN or Inf comes out with something that is not finite; its neighbours do not change a bit. */
export async function checkPropagation(gpu: Gpu, c: RowCase, cols: number): Promise<void> {
  const rows = 5;
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const operation = c.operation(cols, 3);
    const x = normals(2, rows * cols, c.scale ?? 1);
    const clean = await apply(gpu, operation, x, cols);
    for (let at = 0; at < cols; at++) {
      const poisoned = x.slice();
      poisoned[2 * cols + at] = bad;
      const y = await apply(gpu, operation, poisoned, cols);
      const width = y.length / rows;
      expect([...y.slice(2 * width, 3 * width)].every(Number.isFinite), `${bad} in column ${at}`).toBe(false);
      y.copyWithin(2 * width, width, 2 * width);
      const others = clean.slice();
      others.copyWithin(2 * width, width, 2 * width);
      expect(bits(y)).toEqual(bits(others));
    }
  }
}
