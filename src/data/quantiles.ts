/** @file Sorted numbers: their quantiles, and how they are cut into groups of about equal size. */

/** A sorted copy, ascending, in float64. */
export function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * The q-quantile of ascending values, linear between neighbours (type 7 of Hyndman and Fan 1996, numpy's default);
 * NaN where there are none.
 * @param q in [0, 1]
 */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const last = ascending.length - 1;
  if (last < 0) return Number.NaN;
  const place = q * last;
  const below = Math.floor(place);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, last)]!;
  return low + (high - low) * (place - below);
}

/** Positions `from` to `to` (exclusive) of sorted values. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * Ascending values in at most `count` runs of about equal size. Equal values are never parted, so that the runs do
 * not depend on the order in which equal values came; there are fewer runs where many are equal.
 */
export function equalMass(ascending: ArrayLike<number>, count: number): Run[] {
  const n = ascending.length;
  const runs: Run[] = [];
  let from = 0;
  for (let i = 1; i <= count; i++) {
    let to = Math.round((i * n) / count);
    if (to <= from) continue;
    while (to < n && ascending[to] === ascending[to - 1]) to += 1;
    runs.push({ from, to });
    from = to;
  }
  return runs;
}
