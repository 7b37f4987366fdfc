/**
 * @file Causal attention with grouped-query heads in float64: softmax(scale q.k) v over the tokens up to oneself.
 * Once over one plain sequence, once over a packed forest of segments.
 */
import type { PackedBatch } from "../../src/kernels/packed-batch.ts";
import { logSumExp, softmax, type Vector } from "./pointwise.ts";

export interface AttentionShape {
  /** Query heads; head h reads key/value head floor(h * kvHeads / heads). */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly scale: number;
}

export interface AttentionResult {
  /** [T, heads, headDim] */
  readonly out: Float64Array;
  /** [T, heads] log of the softmax's denominator. */
  readonly logSumExp: Float64Array;
}

/** q [T, heads, headDim], k and v [T, kvHeads, headDim]; row t sees rows `visible(t)`, in that order. */
function attend(
  q: Vector,
  k: Vector,
  v: Vector,
  { heads, kvHeads, headDim, scale }: AttentionShape,
  visible: (row: number) => readonly number[],
): AttentionResult {
  const rows = q.length / (heads * headDim);
  const out = new Float64Array(q.length);
  const denominators = new Float64Array(rows * heads);
  for (let row = 0; row < rows; row++) {
    const keys = visible(row);
    for (let head = 0; head < heads; head++) {
      const query = (row * heads + head) * headDim;
      const at = (key: number) => (key * kvHeads + Math.floor((head * kvHeads) / heads)) * headDim;
      const scores = keys.map((key) => {
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += q[query + i]! * k[at(key) + i]!;
        return scale * dot;
      });
      denominators[row * heads + head] = logSumExp(scores);
      softmax(scores).forEach((weight, n) => {
        const value = at(keys[n]!);
        for (let i = 0; i < headDim; i++) out[query + i]! += weight * v[value + i]!;
      });
    }
  }
  return { out, logSumExp: denominators };
}

/** One sequence: row t sees rows 0..t. */
export function causalAttention(q: Vector, k: Vector, v: Vector, shape: AttentionShape): AttentionResult {
  return attend(q, k, v, shape, (row) => Array.from({ length: row + 1 }, (_, key) => key));
}

/** A packed forest: a row sees its parent segment whole, then its own segment up to itself. */
export function forestAttention(
  q: Vector,
  k: Vector,
  v: Vector,
  shape: AttentionShape,
  batch: Pick<PackedBatch, "rows" | "segments">,
): AttentionResult {
  const paths: number[][] = Array.from({ length: batch.rows }, () => []);
  for (let s = 0; s < batch.segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = batch.segments.subarray(s, s + 4);
    const prompt = Array.from({ length: parentLength }, (_, i) => parentStart + i);
    for (let row = start; row < start + length; row++) {
      paths[row] = [...prompt, ...Array.from({ length: row - start + 1 }, (_, i) => start + i)];
    }
  }
  return attend(q, k, v, shape, (row) => paths[row]!);
}
