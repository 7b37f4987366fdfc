/** @file The CRINGE penalty in float64 (Adolphs et al. 2022, arXiv 2211.05826, eq. 3 and 4), its draw from Philox on BigInts. */
import { philox } from "./dropout.ts";
import { sigmoid, type Vector } from "./pointwise.ts";
import { softplus } from "./preference-loss.ts";

export interface Draw {
  readonly k: number;
  readonly seed: number;
  readonly step: number;
  /** The token's key. */
  readonly key: readonly [number, number, number];
}

/** Of one token: the word that it is held against, and how near the draw came to choosing another (0: a tie). */
export function drawWord(
  logits: Vector,
  token: number,
  { k, seed, step, key }: Draw,
): { word: number; distance: number } {
  const best = Array.from({ length: logits.length }, (_, v) => v)
    .filter((v) => v !== token)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, k);
  const weights = best.map((v) => Math.exp(logits[v]! - logits[best[0]!]!));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const wide = BigInt(seed);
  const own = philox([wide & 0xffffffffn, wide >> 32n, BigInt(step), 0n], [0x776f7264n, 0n]);
  const words = key.map((word) => BigInt(word >>> 0));
  const u = Number(philox([...words, 0n], [own[0]!, own[1]!])[0]) / 2 ** 32;
  let sum = 0;
  let word = best.at(-1)!;
  let distance = 1;
  for (const [i, w] of weights.entries()) {
    sum += w / total;
    if (i < weights.length - 1) distance = Math.min(distance, Math.abs(sum - u));
    if (sum > u) {
      word = best[i]!;
      break;
    }
  }
  return { word, distance };
}

/** softplus(s - s*) and its slope. */
export function penaltyOf(logit: number, drawn: number): { penalty: number; slope: number } {
  return { penalty: softplus(logit - drawn), slope: sigmoid(logit - drawn) };
}
