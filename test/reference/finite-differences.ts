/** @file Numerical gradients of float64 functions, for checking gradients that were written from formulas. */
import type { Vector } from "./pointwise.ts";

/**
 * d f / d x by central differences of fourth order, (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h: right to
 * about 1e-9 for functions and inputs of ordinary size.
 */
export function finiteDifferences(f: (x: Float64Array) => number, x: Vector, h = 1e-3): Float64Array {
  const at = Float64Array.from(x);
  return at.map((value, i) => {
    const shifted = (by: number) => {
      at[i] = value + by;
      const result = f(at);
      at[i] = value;
      return result;
    };
    return (8 * (shifted(h) - shifted(-h)) - (shifted(2 * h) - shifted(-2 * h))) / (12 * h);
  });
}

/** sum of a_i b_i: with a = d loss / d y and b = y, a loss whose gradient with respect to y is a. */
export function inner(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
