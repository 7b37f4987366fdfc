/** @file Activations and softmax in float64, one element or one row at a time. */

export type Vector = ArrayLike<number>;

/** 1 / (1 + exp(-x)), without overflow. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** x sigmoid(x). */
export function silu(x: number): number {
  return x * sigmoid(x);
}

/** silu(gate) * up, element by element. */
export function swiglu(gate: Vector, up: Vector): Float64Array {
  return Float64Array.from({ length: gate.length }, (_, i) => silu(gate[i]!) * up[i]!);
}

/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): GPT-2's "gelu_new". */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** x Phi(x), Phi the normal distribution: "gelu". */
export function geluErf(x: number): number {
  return 0.5 * x * erfc(-x / Math.SQRT2);
}

/** The error function, to about 1e-15 absolutely. */
export function erf(x: number): number {
  return 1 - erfc(x);
}

/** 1 - erf(x): its Taylor series near 0, a continued fraction in the tail (Abramowitz and Stegun 7.1.5, 7.1.14). */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return 2 - erfc(-x);
  if (x < 1.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  if (x > 28) return 0;
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** log(sum(exp(x))), -Infinity for no values. */
export function logSumExp(row: Vector): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) max = Math.max(max, row[i]!);
  if (!Number.isFinite(max)) return max;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += Math.exp(row[i]! - max);
  return max + Math.log(sum);
}

/** exp(x_i) / sum(exp(x)). */
export function softmax(row: Vector): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) max = Math.max(max, row[i]!);
  const weights = Float64Array.from({ length: row.length }, (_, i) => Math.exp(row[i]! - max));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
