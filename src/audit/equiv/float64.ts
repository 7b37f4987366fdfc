/** @file The trainer's loss of a head's rewards beside DPO's of the policy that the head makes, in float64. */
import type { DifferenceLoss } from "../../train/losses/loss.ts";
import { dpoGradient, dpoLoss, type FourLogProbs } from "./dpo-paper.ts";
import { largest } from "./row.ts";
import { fourLogProbs, type TiltedReply, tilt } from "./tilted-policy.ts";

/** A pair of candidates of prompt x; w is the preferred one. */
export interface CandidatePair {
  readonly x: number;
  readonly w: number;
  readonly l: number;
}

/** Every pair of candidates of every prompt, the earlier one preferred: rewards order some rightly, some wrongly. */
export function allPairs(prompts: readonly (readonly unknown[])[]): CandidatePair[] {
  return prompts.flatMap((candidates, x) =>
    candidates.flatMap((_, w) => candidates.slice(w + 1).map((_, k) => ({ x, w, l: w + 1 + k }))),
  );
}

export interface Difference {
  /** Largest |DPO's loss - the trainer's| over the pairs. */
  readonly loss: number;
  /** ‖DPO's - the trainer's‖ / ‖the trainer's‖ of the mean loss's gradient in the head. */
  readonly gradient: number;
}

/** @param unnormalised leave log Z(x) out of the policy's log-probabilities */
export function compareInFloat64(
  prompts: readonly (readonly TiltedReply[])[],
  loss: DifferenceLoss,
  beta: number,
  unnormalised = false,
): Difference {
  const pairs = allPairs(prompts);
  const policies = prompts.map((replies) => tilt(replies, beta));
  const width = prompts[0]?.[0]?.features.length ?? 0;
  const [ours, theirs] = [new Float64Array(width), new Float64Array(width)];
  const losses = pairs.map(({ x, w, l }) => {
    const [replies, policy] = [prompts[x]!, policies[x]!];
    const four = fourLogProbs(replies, unnormalised ? policy.unnormalised : policy.logProbs, w, l);
    const difference = replies[w]!.reward - replies[l]!.reward;
    addScaled(ours, loss.slope(difference, 1), replies[w]!.features);
    addScaled(ours, -loss.slope(difference, 1), replies[l]!.features);
    addScaled(theirs, 1, dpoGradient(four, beta, policy.scores[w]!, policy.scores[l]!));
    return Math.abs(dpoLoss(four, beta) - loss.ofPair(difference, 1));
  });
  return {
    loss: largest(losses),
    gradient: Math.hypot(...theirs.map((g, j) => g - ours[j]!)) / Math.hypot(...ours),
  };
}

/** Largest |DPO's loss - the trainer's| where DPO is given other log-probabilities than the head's policy has. */
export function lossDifference(
  prompts: readonly (readonly TiltedReply[])[],
  loss: DifferenceLoss,
  beta: number,
  broken: (four: FourLogProbs, pair: CandidatePair) => FourLogProbs,
): number {
  const policies = prompts.map((replies) => tilt(replies, beta));
  return largest(
    allPairs(prompts).map((pair) => {
      const { x, w, l } = pair;
      const four = broken(fourLogProbs(prompts[x]!, policies[x]!.logProbs, w, l), pair);
      const difference = prompts[x]![w]!.reward - prompts[x]![l]!.reward;
      return Math.abs(dpoLoss(four, beta) - loss.ofPair(difference, 1));
    }),
  );
}

function addScaled(into: Float64Array, scale: number, values: ArrayLike<number>): void {
  for (let j = 0; j < into.length; j++) into[j]! += scale * values[j]!;
}
