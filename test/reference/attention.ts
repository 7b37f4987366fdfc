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

/** Of each row of a packed forest, the rows it sees, in order: its parent segment whole, then its own up to itself. */
function pathsOf({ rows, segments }: Forest): readonly (readonly number[])[] {
  const paths: number[][] = Array.from({ length: rows }, () => []);
  for (let s = 0; s < segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = segments.subarray(s, s + 4);
    const prompt = Array.from({ length: parentLength }, (_, i) => parentStart + i);
    for (let row = start; row < start + length; row++) {
      paths[row] = [...prompt, ...Array.from({ length: row - start + 1 }, (_, i) => start + i)];
    }
  }
  return paths;
}

type Forest = Pick<PackedBatch, "rows" | "segments">;

/** A packed forest: a row sees its path, as `pathsOf` says. */
export function forestAttention(
  q: Vector,
  k: Vector,
  v: Vector,
  shape: AttentionShape,
  batch: Forest,
): AttentionResult {
  const paths = pathsOf(batch);
  return attend(q, k, v, shape, (row) => paths[row]!);
}

export interface AttentionGradient {
  readonly dq: Float64Array;
  readonly dk: Float64Array;
  readonly dv: Float64Array;
}

/**
 * The gradient of `forestAttention` for q, k and v, given dy of its output: with p = softmax(s) and dp_j = dy . v_j,
 * ds_j = p_j (dp_j - sum_n p_n dp_n), and s_j = scale q . k_j.
 */
export function forestAttentionGradient(
  dy: Vector,
  q: Vector,
  k: Vector,
  v: Vector,
  { heads, kvHeads, headDim, scale }: AttentionShape,
  batch: Forest,
): AttentionGradient {
  const [dq, dk, dv] = [
    new Float64Array(q.length),
    new Float64Array(k.length),
    new Float64Array(v.length),
  ] as const;
  const dot = (a: Vector, at: number, b: Vector, bt: number) => {
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += a[at + i]! * b[bt + i]!;
    return sum;
  };
  pathsOf(batch).forEach((keys, row) => {
    for (let head = 0; head < heads; head++) {
      const query = (row * heads + head) * headDim;
      const at = (key: number) => (key * kvHeads + Math.floor((head * kvHeads) / heads)) * headDim;
      const p = softmax(keys.map((key) => scale * dot(q, query, k, at(key))));
      const dp = keys.map((key) => dot(dy, query, v, at(key)));
      const mean = dp.reduce((sum, value, n) => sum + p[n]! * value, 0);
      keys.forEach((key, n) => {
        const ds = p[n]! * (dp[n]! - mean);
        for (let i = 0; i < headDim; i++) {
          dq[query + i]! += scale * ds * k[at(key) + i]!;
          dk[at(key) + i]! += scale * ds * q[query + i]!;
          dv[at(key) + i]! += p[n]! * dy[query + i]!;
        }
      });
    }
  });
  return { dq, dk, dv };
}
