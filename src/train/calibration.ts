/**
 * @file Whether margins mean what Bradley-Terry says they do: sigmoid(r_w - r_l) as a probability, against how often
 * the chosen reply is the better one. Brier score (Brier 1950), negative log-likelihood, expected calibration error
 * over equal-mass bins, and the temperature that fits best (Guo et al. 2017, arXiv 1706.04599).
 *
 * A pair is always stored with its chosen reply first, so every outcome would be 1 and a diagram one-sided. Each pair
 * therefore counts in both orders, (sigmoid(m), y) and (sigmoid(-m), 1 - y). One is the other's mirror image at one
 * half, so the half with the confidence sigmoid(|m|) of the model's own pick holds everything, bins included.
 */
import { type Interval, wilson } from "../data/null-baselines.ts";
import { equalMass } from "../data/quantiles.ts";
import { softplusNegative } from "./losses/logistic.ts";

export interface CalibrationBin extends Interval {
  readonly n: number;
  /** Mean of sigmoid(|m|), in [0.5, 1]. */
  readonly confidence: number;
  /** Share in which the model's pick is the better reply; equal rewards count half. `low` and `high`: 95 %, Wilson. */
  readonly right: number;
}

export interface Calibration {
  readonly n: number;
  /** mean((sigmoid(m) - y)^2); 0.25 for a model that says one half of everything. */
  readonly brier: number;
  /** mean(-y log sigmoid(m) - (1 - y) log sigmoid(-m)), in nats; ln 2 for a model that says one half of everything. */
  readonly nll: number;
  /** Over bins: the mean of |right - confidence|, weighted by pairs. */
  readonly ece: number;
  /** About the ECE that a perfectly calibrated model would show on so few pairs, by chance alone. */
  readonly eceByChance: number;
  /** Mean confidence in the model's own pick, and how often the pick is right. */
  readonly confidence: number;
  readonly right: number;
  /**
   * T > 0 that minimises the NLL of m / T. Infinity: the margins point the wrong way, so none at all is better;
   * 0: every pair is right, so the NLL falls for as long as margins grow.
   */
  readonly temperature: number;
  readonly nllAtTemperature: number;
  readonly bins: readonly CalibrationBin[];
}

/** Bins of the table and the ECE, unless told otherwise. */
export const defaultBins = 10;

/**
 * @param margins [n] r_w - r_l
 * @param labels [n] probability that the chosen reply is the better one; 1 where it is left out
 */
export function calibrate(
  margins: ArrayLike<number>,
  labels?: ArrayLike<number>,
  bins = defaultBins,
): Calibration {
  const n = margins.length;
  const label = (i: number) => labels?.[i] ?? 1;
  let brier = 0;
  for (let i = 0; i < n; i++) brier += (sigmoid(margins[i]!) - label(i)) ** 2;
  const { table, eceByChance } = reliability(margins, label, bins);
  const mean = (pick: (bin: CalibrationBin) => number) =>
    table.reduce((sum, bin) => sum + bin.n * pick(bin), 0) / n;
  const temperature = bestTemperature(margins, label);
  return {
    n,
    brier: brier / n,
    nll: nllAt(margins, label, 1),
    ece: mean((bin) => Math.abs(bin.right - bin.confidence)),
    eceByChance,
    confidence: mean((bin) => bin.confidence),
    right: mean((bin) => bin.right),
    temperature,
    nllAtTemperature: nllAt(margins, label, temperature),
    bins: table,
  };
}

export function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

type Labels = (i: number) => number;

function reliability(margins: ArrayLike<number>, label: Labels, count: number) {
  const size = Float64Array.from(margins, Math.abs);
  const order = Uint32Array.from(size, (_, i) => i).sort((a, b) => size[a]! - size[b]!);
  let spread = 0;
  const runs = equalMass(
    Float64Array.from(order, (i) => size[i]!),
    count,
  );
  const table = runs.map(({ from, to }): CalibrationBin => {
    let confidence = 0;
    let right = 0;
    let variance = 0;
    for (const i of order.subarray(from, to)) {
      const p = sigmoid(size[i]!);
      confidence += p;
      variance += p * (1 - p);
      right += margins[i] === 0 ? 0.5 : margins[i]! > 0 ? label(i) : 1 - label(i);
    }
    const n = to - from;
    spread += Math.sqrt(variance);
    return { n, confidence: confidence / n, right: right / n, ...wilson(right, n) };
  });
  // |N(0, s^2)| has mean s sqrt(2 / pi); a bin's share has variance (sum of p (1 - p)) / n^2.
  return { table, eceByChance: (Math.sqrt(2 / Math.PI) * spread) / margins.length };
}

/** Negative log-likelihood of margins / temperature. */
function nllAt(margins: ArrayLike<number>, label: Labels, temperature: number): number {
  let sum = 0;
  for (let i = 0; i < margins.length; i++) {
    const z = margins[i] === 0 ? 0 : margins[i]! / temperature;
    const y = label(i);
    // Infinite margins (T = 0) make 0 times infinity of the side that has no weight.
    if (y > 0) sum += y * softplusNegative(z);
    if (y < 1) sum += (1 - y) * softplusNegative(-z);
  }
  return sum / margins.length;
}

/**
 * The NLL is convex in b = 1/T and its slope, mean(m (sigmoid(b m) - y)), rises with b: Newton's steps, halving the
 * bracket where one leaves it.
 */
function bestTemperature(margins: ArrayLike<number>, label: Labels): number {
  const n = margins.length;
  const slope = (b: number) => {
    let first = 0;
    let second = 0;
    for (let i = 0; i < n; i++) {
      const m = margins[i]!;
      const p = sigmoid(b * m);
      first += m * (p - label(i));
      second += m * m * p * (1 - p);
    }
    return { first, second };
  };
  if (slope(0).first >= 0) return Number.POSITIVE_INFINITY;
  if (Array.from(margins).every((m, i) => m === 0 || label(i) === Number(m > 0))) return 0;
  let low = 0;
  let high = 1;
  // Margins near the least number that there is would ask for a scale, or a temperature, that is none.
  while (slope(high).first < 0 && high < 2 ** 1000) {
    low = high;
    high *= 2;
  }
  let b = (low + high) / 2;
  for (let i = 0; i < 400 && high - low > 1e-12 * high; i++) {
    const { first, second } = slope(b);
    if (first < 0) low = b;
    else high = b;
    const newton = b - first / second;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - b) <= 1e-13 * b) break;
    b = next;
  }
  return 1 / b;
}
