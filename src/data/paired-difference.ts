/** @file How much more often a model is right than a rule, on the same pairs: the difference, with its interval. */
import { type Interval, Z_95 } from "./null-baselines.ts";

export interface Difference extends Interval {
  /** Mean of model - rule. */
  readonly mean: number;
}

/**
 * Mean difference of two scores of the same pairs (1 right, 0 wrong, 0.5 for a tie that counts half) and its 95 %
 * interval, normal. Pairs that both have right or both have wrong say nothing about which is better and widen nothing,
 * as in McNemar's test (1947); two intervals side by side would be far too wide.
 * @param model [n]
 * @param rule [n]
 */
export function pairedDifference(model: ArrayLike<number>, rule: ArrayLike<number>): Difference {
  const n = model.length;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const d = model[i]! - rule[i]!;
    sum += d;
    squares += d * d;
  }
  const mean = sum / n;
  const half = Z_95 * Math.sqrt(Math.max(0, squares / n - mean * mean) / n);
  return { mean, low: Math.max(-1, mean - half), high: Math.min(1, mean + half) };
}
