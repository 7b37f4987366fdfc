/** @file Random linear layers and what the tensor-core class makes of them, in float64. */
import fc from "fast-check";
import { linear, transpose } from "../reference/layers.ts";
import { roundF16 } from "../reference/rounding.ts";
import { normals } from "./numbers.ts";
import { rounded, type WeightDtype, weightDtypes } from "./weights.ts";

export interface MatrixCase {
  readonly rows: number;
  readonly k: number;
  readonly outs: number;
  readonly dtype: WeightDtype;
  readonly seed: number;
  /** Whether the products are added to other values. */
  readonly into: boolean;
  readonly bias: boolean;
  /** Size of the gradient dy, as a power of two. */
  readonly exponent: number;
}

type Sizes = Pick<MatrixCase, "rows" | "k" | "outs">;

/** Layers with at least one row, eight inputs and eight outputs, up to `most`. */
export const matrixCases = (
  most: Sizes,
  dtypes: readonly WeightDtype[] = weightDtypes,
): fc.Arbitrary<MatrixCase> =>
  fc.record({
    rows: fc.integer({ min: 1, max: most.rows }),
    k: fc.integer({ min: 8, max: most.k }),
    outs: fc.integer({ min: 8, max: most.outs }),
    dtype: fc.constantFrom(...dtypes),
    seed: fc.nat(),
    into: fc.boolean(),
    bias: fc.boolean(),
    exponent: fc.integer({ min: -40, max: 20 }),
  });

/** x [rows, k], w [outs, k] as stored, dy [rows, outs], bias [outs]; old values y [rows, outs], dx and dw. */
export function matrixInputs({ rows, k, outs, dtype, seed, into, bias, exponent }: MatrixCase) {
  const old = into ? 1 : 0;
  return {
    x: normals(seed + 1, rows * k),
    w: rounded(normals(seed + 2, outs * k), dtype),
    dy: normals(seed + 3, rows * outs, 2 ** exponent),
    bias: bias ? normals(seed + 4, outs) : undefined,
    old: {
      y: normals(seed + 5, rows * outs, old),
      dx: normals(seed + 6, rows * k, old * 2 ** exponent),
      dw: normals(seed + 7, outs * k, old * 2 ** exponent),
    },
  };
}

/** y = x W^T + b, dx = dy W, dw = dy^T x on factors rounded to f16, each added to its old values. */
export function matrixProducts(c: MatrixCase) {
  const { x, w, dy, bias, old } = matrixInputs(c);
  const xh = Float64Array.from(x, roundF16);
  const wh = Float64Array.from(w, roundF16);
  const dyh = scaledHalves(dy);
  const onto = (before: Float32Array, values: Float64Array) => values.map((v, i) => v + before[i]!);
  return {
    y: onto(old.y, linear(xh, wh, c.k, bias)),
    dx: onto(old.dx, linear(dyh, transpose(wh, c.k), c.outs)),
    dw: onto(old.dw, linear(transpose(dyh, c.outs), transpose(xh, c.k), c.rows)),
  };
}

/** A gradient times the power of two that brings its largest magnitude to 2^14 .. 2^15, rounded to f16, and back. */
export function scaledHalves(dy: Float32Array): Float64Array {
  const largest = dy.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (largest === 0) return Float64Array.from(dy);
  const scale = 2 ** (14 - Math.floor(Math.log2(largest)));
  return Float64Array.from(dy, (v) => roundF16(v * scale) / scale);
}
