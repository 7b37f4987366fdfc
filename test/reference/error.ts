/** @file How far numbers lie from the float64 truth. */

/**
 * Relative L2 error |actual - expected| / |expected|; the absolute error where expected is all zeros. NaN in either
 * gives NaN, which no bound accepts. Throws RangeError for different lengths.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new RangeError(`${actual.length} values against ${expected.length}`);
  }
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(norm === 0 ? difference : difference / norm);
}

/** sqrt of the sum of squares. */
export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
