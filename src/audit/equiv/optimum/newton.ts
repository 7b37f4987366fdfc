/** @file Newton's method with halved steps, for small convex functions that a constant added to all of x doesn't change. */
import { RmtrainError } from "../../../errors.ts";

export interface Local {
  readonly value: number;
  readonly gradient: readonly number[];
  /** Any positive semidefinite approximation; only the way depends on it, the end on the gradient alone. */
  readonly hessian: readonly (readonly number[])[];
}

export interface Minimum {
  readonly x: readonly number[];
  readonly gradientNorm: number;
  readonly steps: number;
}

const mostSteps = 200;

/** @throws RmtrainError where the gradient stays above `tolerance`, or falls below it only at infinity */
export function minimise(
  f: (x: readonly number[]) => Local,
  start: readonly number[],
  tolerance: number,
): Minimum {
  let x = start;
  let here = f(x);
  for (let steps = 0; steps < mostSteps; steps++) {
    const gradientNorm = Math.hypot(...here.gradient);
    if (gradientNorm < tolerance && x.every(Number.isFinite)) return { x, gradientNorm, steps };
    // The constant's direction has no curvature; 1 1^T gives it some and leaves the others alone.
    const step = solve(
      here.hessian.map((row) => row.map((h) => h + 1)),
      here.gradient,
    );
    const before = { value: here.value, x };
    for (let scale = 1; scale > 1e-12; scale /= 2) {
      x = before.x.map((v, k) => v - scale * step[k]!);
      here = f(x);
      // At the end a step changes the value by less than its rounding.
      if (here.value <= before.value + 1e-14 * Math.abs(before.value)) break;
    }
  }
  throw new RmtrainError(`no minimum found: the gradient's norm is ${Math.hypot(...here.gradient)}`);
}

/** A^-1 b by Gaussian elimination with pivots. */
function solve(A: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length;
  const rows = A.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= rows[i]![j]! * x[j]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}
