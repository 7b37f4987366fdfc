/**
 * @file Gradients of norms, softmax, activations, biases and look-ups in float64, from the chain rule. Matrices are flat and
 * row-major; dy is d loss / d y of the operation of the same name in layers.ts.
 */
import { erfc, sigmoid, type Vector } from "./pointwise.ts";

export interface NormGradient {
  readonly dx: Float64Array;
  /** d loss / d gain. */
  readonly dGain: Float64Array;
}

/** With y = gain * x * scale: d scale / d x_j = -scale^3 x_j / width. */
export function rmsNormGradient(dy: Vector, x: Vector, gain: Vector, eps: number): NormGradient {
  const width = gain.length;
  const dx = new Float64Array(x.length);
  const dGain = new Float64Array(width);
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += x[start + i]! ** 2;
    const scale = 1 / Math.sqrt(squares / width + eps);
    let dScale = 0;
    for (let i = 0; i < width; i++) {
      dScale += dy[start + i]! * gain[i]! * x[start + i]!;
      dGain[i]! += dy[start + i]! * x[start + i]! * scale;
    }
    for (let i = 0; i < width; i++)
      dx[start + i] = dy[start + i]! * gain[i]! * scale - (dScale * scale ** 3 * x[start + i]!) / width;
  }
  return { dx, dGain };
}

/** LayerNorm is RMSNorm of d = x - mean(x), and the gradient of d turns into that of x by losing its own mean. */
export function layerNormGradient(dy: Vector, x: Vector, gain: Vector, eps: number): NormGradient {
  const width = gain.length;
  const centred = Float64Array.from(x);
  for (let start = 0; start < x.length; start += width) removeMean(centred.subarray(start, start + width));
  const { dx, dGain } = rmsNormGradient(dy, centred, gain, eps);
  for (let start = 0; start < x.length; start += width) removeMean(dx.subarray(start, start + width));
  return { dx, dGain };
}

function removeMean(row: Float64Array): void {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  row.forEach((value, i) => {
    row[i] = value - mean;
  });
}

/** Column sums of dy [rows, width]. */
export function biasGradient(dy: Vector, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < dy.length; i++) sums[i % width]! += dy[i]!;
  return sums;
}

/** d table [vocabulary, width] of table[ids]; rows of `skip` give nothing. */
export function embeddingGradient(
  dy: Vector,
  ids: Vector,
  vocabulary: number,
  width: number,
  skip?: number,
): Float64Array {
  const table = new Float64Array(vocabulary * width);
  for (let row = 0; row < ids.length; row++) {
    if (ids[row] === skip) continue;
    for (let i = 0; i < width; i++) table[ids[row]! * width + i]! += dy[row * width + i]!;
  }
  return table;
}

/** d [gate, up] of silu(gate) up: gateUp [rows, 2 half], dy [rows, half]. */
export function swigluGradient(dy: Vector, gateUp: Vector, half: number): Float64Array {
  const d = new Float64Array(gateUp.length);
  for (let i = 0; i < dy.length; i++) {
    const at = Math.floor(i / half) * 2 * half + (i % half);
    const gate = gateUp[at]!;
    const s = sigmoid(gate);
    d[at] = dy[i]! * gateUp[at + half]! * s * (1 + gate * sigmoid(-gate));
    d[at + half] = dy[i]! * gate * s;
  }
  return d;
}

/** The derivative of geluTanh. */
export function geluTanhSlope(x: number): number {
  const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  const du = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
  return 0.5 * (1 + Math.tanh(u)) + 0.5 * x * (1 - Math.tanh(u) ** 2) * du;
}

/** The derivative of geluErf: Phi(x) + x phi(x). */
export function geluErfSlope(x: number): number {
  return 0.5 * erfc(-x / Math.SQRT2) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** With y = softmax(x): d y_j / d x_i = y_j ((i == j) - y_i). */
export function softmaxGradient(dy: Vector, y: Vector, width: number): Float64Array {
  const dx = new Float64Array(y.length);
  for (let start = 0; start < y.length; start += width) {
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        const slope = y[start + j]! * ((i === j ? 1 : 0) - y[start + i]!);
        dx[start + i]! += dy[start + j]! * slope;
      }
    }
  }
  return dx;
}
