/** @file What an accuracy is worth: its interval, and what a rule that only looks at length would score. */
import type { Content } from "./content.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const Z_95 = 1.959963984540054;

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
  readonly n: number;
  /** Share of pairs with the chosen reward strictly above; NaN where there are none. */
  readonly accuracy: number;
  /** Pairs with equal rewards; they count as wrong. */
  readonly ties: number;
}

/** Accuracy of rewards [n] of the chosen and the rejected replies, with its 95 % interval. */
export function pairAccuracy(chosen: ArrayLike<number>, rejected: ArrayLike<number>): Accuracy {
  let correct = 0;
  let ties = 0;
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i]! > rejected[i]!) correct += 1;
    else if (chosen[i] === rejected[i]) ties += 1;
  }
  return { n: chosen.length, accuracy: correct / chosen.length, ties, ...wilson(correct, chosen.length) };
}

export interface LengthBaselines {
  /** Accuracy of "the longer reply is better"; ties count half; NaN where there are no pairs. */
  readonly longer: number;
  readonly shorter: number;
  readonly ties: number;
}

/** Both length rules on pairs, by the reply's length in characters (code points), in tokens for ids. */
export function lengthBaselines(pairs: readonly Content[]): LengthBaselines {
  let longer = 0;
  let ties = 0;
  for (const { replies } of pairs) {
    const difference = replyLength(replies[0] ?? "") - replyLength(replies[1] ?? "");
    if (difference > 0) longer += 1;
    else if (difference === 0) ties += 1;
  }
  const n = pairs.length;
  return { longer: (longer + ties / 2) / n, shorter: (n - longer - ties / 2) / n, ties };
}

function replyLength(reply: string | readonly number[]): number {
  if (typeof reply !== "string") return reply.length;
  let length = 0;
  for (const _ of reply) length += 1;
  return length;
}
