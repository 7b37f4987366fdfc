/** @file Histograms with round bin edges, the same for all series of a figure. */
import { quantile, sorted } from "../../data/quantiles.ts";

export interface Bin {
  readonly from: number;
  readonly to: number;
}

/** Bins of one width whose edges are multiples of it, so that 0 is an edge wherever it lies inside. */
export interface Bins {
  readonly first: number;
  readonly width: number;
  readonly count: number;
}

/**
 * About `wanted` bins for all values. Values far from the rest (more than half of the middle 98 % beyond them) get no
 * bins of their own: `tally` counts them in the outermost ones.
 */
export function binsFor(values: ArrayLike<number>, wanted = 36): Bins {
  const ascending = sorted(values);
  const [low, high] = [quantile(ascending, 0.01), quantile(ascending, 0.99)];
  const reach = (high - low) / 2;
  const from = reach > 0 ? Math.max(ascending[0]!, low - reach) : ascending[0]!;
  const to = reach > 0 ? Math.min(ascending.at(-1)!, high + reach) : ascending.at(-1)!;
  const width = roundStep((to - from) / wanted || Math.max(Math.abs(from), 1) / wanted);
  const first = Math.floor(from / width);
  return { first, width, count: Math.max(1, Math.floor(to / width) - first + 1) };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10);
}

export interface Tally {
  /** [count] values in each bin; those beyond the ends are counted in the outermost bins. */
  readonly counts: Uint32Array;
  readonly beyond: number;
}

export function tally(values: ArrayLike<number>, { first, width, count }: Bins): Tally {
  const counts = new Uint32Array(count);
  let beyond = 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(values[i]! / width) - first;
    if (bin < 0 || bin >= count) beyond += 1;
    counts[Math.min(Math.max(bin, 0), count - 1)]! += 1;
  }
  return { counts, beyond };
}

export function edges({ first, width }: Bins, bin: number): Bin {
  return { from: (first + bin) * width, to: (first + bin + 1) * width };
}
