/** @file What an accuracy is worth: its interval, and what a rule that only looks at length would score. */
import type { Content } from "./content.ts";
import { preferredSide } from "./label.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Standard normal quantile of two-sided 95 % intervals. */
export const Z_95 = 1.959963984540054;

/**
 * 95 % interval of a share of `k` in `n`: Wilson's score interval (Wilson 1927), which stays inside [0, 1] and has
 * width also at 0 and 1. `n` = 0 gives [0, 1]. `k` may be fractional (ties that count half).
 */
export function wilson(k: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const share = k / n;
  const z2 = Z_95 ** 2;
  const centre = share + z2 / (2 * n);
  const half = Z_95 * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  const scale = 1 + z2 / n;
  return { low: Math.max(0, (centre - half) / scale), high: Math.min(1, (centre + half) / scale) };
}

export interface Accuracy extends Interval {
  /** Pairs that have a right answer: all but those with label 0.5. */
  readonly n: number;
  /** Share of them with the preferred reply's reward strictly above; NaN where there are none. */
  readonly accuracy: number;
  /** Pairs with equal rewards; they count as wrong. */
  readonly ties: number;
}

/**
 * Accuracy of rewards [n] of the chosen and the rejected replies, with its 95 % interval.
 * @param labels [n] probabilities that the chosen reply is the better one; absent: 1
 */
export function pairAccuracy(
  chosen: ArrayLike<number>,
  rejected: ArrayLike<number>,
  labels: ArrayLike<number> = [],
): Accuracy {
  let n = 0;
  let correct = 0;
  let ties = 0;
  for (let i = 0; i < chosen.length; i++) {
    const side = preferredSide(labels[i] ?? 1);
    if (side === 0) continue;
    n += 1;
    if (side * (chosen[i]! - rejected[i]!) > 0) correct += 1;
    else if (chosen[i] === rejected[i]) ties += 1;
  }
  return { n, accuracy: correct / n, ties, ...wilson(correct, n) };
}

export interface LengthBaselines {
  /** Accuracy of "the longer reply is better"; ties count half; NaN where no pair has a right answer. */
  readonly longer: number;
  readonly shorter: number;
  readonly ties: number;
}

/**
 * Both length rules on pairs, by the reply's length in characters (code points), in tokens for ids.
 * @param labels [n] as for `pairAccuracy`
 */
export function lengthBaselines(pairs: readonly Content[], labels: ArrayLike<number> = []): LengthBaselines {
  let n = 0;
  let longer = 0;
  let ties = 0;
  for (const [i, { replies }] of pairs.entries()) {
    const side = preferredSide(labels[i] ?? 1);
    if (side === 0) continue;
    n += 1;
    const difference = side * (replyLength(replies[0] ?? "") - replyLength(replies[1] ?? ""));
    if (difference > 0) longer += 1;
    else if (difference === 0) ties += 1;
  }
  return { longer: (longer + ties / 2) / n, shorter: (n - longer - ties / 2) / n, ties };
}

/** Length of a reply in characters (code points), in tokens for ids. */
export function replyLength(reply: string | readonly number[]): number {
  if (typeof reply !== "string") return reply.length;
  let length = reply.length;
  // Code units would do but for surrogate pairs; iterating the string is ten times slower.
  for (let i = 0; i + 1 < reply.length; i++)
    if (isHigh(reply.charCodeAt(i)) && isLow(reply.charCodeAt(i + 1))) length -= 1;
  return length;
}

const isHigh = (unit: number) => (unit & 0xfc00) === 0xd800;
const isLow = (unit: number) => (unit & 0xfc00) === 0xdc00;
