/**
 * @file Embedding, linear, the two norms and softmax in float64, as their formulas say. Matrices are flat and row-major;
 * the number of rows follows from the lengths.
 */
import type { Vector } from "./pointwise.ts";

/** [rows, width] out of table [vocabulary, width]. */
export function embedding(table: Vector, ids: Vector, width: number): Float64Array {
  const out = new Float64Array(ids.length * width);
  for (let row = 0; row < ids.length; row++) {
    for (let i = 0; i < width; i++) out[row * width + i] = table[ids[row]! * width + i]!;
  }
  return out;
}

/** y = x W^T + b: x [rows, inputs], weight [outputs, inputs], bias [outputs] -> [rows, outputs]. */
export function linear(x: Vector, weight: Vector, inputs: number, bias?: Vector): Float64Array {
  const rows = x.length / inputs;
  const outputs = weight.length / inputs;
  const out = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias ? bias[o]! : 0;
      for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * weight[o * inputs + i]!;
      out[row * outputs + o] = sum;
    }
  }
  return out;
}

/** [columns, rows] out of [rows, columns]: turns GPT-2's Conv1D weights [in, out] into [out, in]. */
export function transpose(matrix: Vector, columns: number): Float64Array {
  const rows = matrix.length / columns;
  const out = new Float64Array(matrix.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c]!;
  }
  return out;
}

/** Elementwise sum. */
export function add(a: Vector, b: Vector): Float64Array {
  return Float64Array.from({ length: a.length }, (_, i) => a[i]! + b[i]!);
}

/** x / sqrt(mean(x^2) + eps) * gain over each row of gain.length. */
export function rmsNorm(x: Vector, gain: Vector, eps: number): Float64Array {
  const width = gain.length;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += x[start + i]! ** 2;
    const scale = 1 / Math.sqrt(squares / width + eps);
    for (let i = 0; i < width; i++) out[start + i] = x[start + i]! * scale * gain[i]!;
  }
  return out;
}

/** (x - mean) / sqrt(variance + eps) * gain + bias over each row of gain.length; the variance divides by the width. */
export function layerNorm(x: Vector, gain: Vector, bias: Vector, eps: number): Float64Array {
  const width = gain.length;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let mean = 0;
    for (let i = 0; i < width; i++) mean += x[start + i]! / width;
    let variance = 0;
    for (let i = 0; i < width; i++) variance += (x[start + i]! - mean) ** 2 / width;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let i = 0; i < width; i++) out[start + i] = (x[start + i]! - mean) * scale * gain[i]! + bias[i]!;
  }
  return out;
}

/** exp(x) / sum(exp(x)) over each row of `width`. */
export function softmax(x: Vector, width: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let top = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = 0; i < width; i++) top = Math.max(top, x[start + i]!);
    for (let i = 0; i < width; i++) sum += Math.exp(x[start + i]! - top);
    for (let i = 0; i < width; i++) out[start + i] = Math.exp(x[start + i]! - top) / sum;
  }
  return out;
}
