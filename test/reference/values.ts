/** @file Inputs for tests of the references: the same on every run and machine. */

/** `length` values in (-1, 1) with no pattern that a wrong index would keep. */
export function values(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
}
