/**
 * @file The policy that a reward head makes of a reference: π(y|x) = π_ref(y|x) exp(r(x, y)/β) / Z(x), with Z over a
 * finite set of candidate replies, in float64. What the head's loss never computes is computed here in full.
 */
import type { FourLogProbs } from "./dpo-paper.ts";

/** One reply to one prompt. */
export interface TiltedReply {
  readonly logReference: number;
  /** r(x, y) */
  readonly reward: number;
  /** [H], with r = w . h. */
  readonly features: ArrayLike<number>;
}

export interface TiltedPolicy {
  /** log π(y|x) of each candidate. */
  readonly logProbs: readonly number[];
  /** The same without - log Z(x): not normalised. */
  readonly unnormalised: readonly number[];
  /** ∇_w log π(y|x) = (h(x, y) - Σ_y' π(y'|x) h(x, y'))/β of each candidate, [H]. */
  readonly scores: readonly Float64Array[];
}

/** @param replies all candidates of one prompt */
export function tilt(replies: readonly TiltedReply[], beta: number): TiltedPolicy {
  const unnormalised = replies.map(({ logReference, reward }) => logReference + reward / beta);
  const most = Math.max(...unnormalised);
  const logZ = most + Math.log(unnormalised.reduce((sum, v) => sum + Math.exp(v - most), 0));
  const logProbs = unnormalised.map((v) => v - logZ);
  const width = replies[0]?.features.length ?? 0;
  const mean = new Float64Array(width);
  for (const [k, { features }] of replies.entries()) {
    const probability = Math.exp(logProbs[k]!);
    for (let j = 0; j < width; j++) mean[j]! += probability * features[j]!;
  }
  const scores = replies.map(({ features }) => mean.map((m, j) => (features[j]! - m) / beta));
  return { logProbs, unnormalised, scores };
}

/** DPO's four log-probabilities of a pair of candidates; w is the preferred one. */
export function fourLogProbs(
  replies: readonly TiltedReply[],
  logProbs: readonly number[],
  w: number,
  l: number,
): FourLogProbs {
  return {
    policyChosen: logProbs[w]!,
    policyRejected: logProbs[l]!,
    referenceChosen: replies[w]!.logReference,
    referenceRejected: replies[l]!.logReference,
  };
}
