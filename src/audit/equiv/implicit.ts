/**
 * @file More independent evidence in float64: two causal LMs as policy and reference, whose implicit rewards go through
 * the trainer's loss; and what no pair can see, a constant for each prompt.
 */
import type { Random } from "../../data/random.ts";
import type { DifferenceLoss } from "../../train/losses/loss.ts";
import { dpoLoss, dpoWeight } from "./dpo-paper.ts";
import { allPairs, compareInFloat64 } from "./float64.ts";
import { betas, float64Bounds } from "./independent.ts";
import type { ScoredReply } from "./language-model.ts";
import { type EquivRow, equivRow, largest } from "./row.ts";
import type { TiltedReply } from "./tilted-policy.ts";

/** The disturbed LM is the policy, the one as it is the reference: DPO as it is run on LMs. */
export function twoLanguageModels(
  scored: readonly (readonly ScoredReply[])[],
  loss: DifferenceLoss,
): EquivRow[] {
  const differences = betas.flatMap((beta) =>
    allPairs(scored).map(({ x, w, l }) => {
      const [chosen, rejected] = [scored[x]![w]!, scored[x]![l]!];
      const reward = (reply: ScoredReply) => beta * (reply.otherLogProb - reply.logProb);
      const four = {
        policyChosen: chosen.otherLogProb,
        policyRejected: rejected.otherLogProb,
        referenceChosen: chosen.logProb,
        referenceRejected: rejected.logProb,
      };
      const d = reward(chosen) - reward(rejected);
      return {
        loss: Math.abs(dpoLoss(four, beta) - loss.ofPair(d, 1)),
        slope: Math.abs(-dpoWeight(four, beta) - loss.slope(d, 1)),
      };
    }),
  );
  return [
    equivRow(
      "independent",
      "two causal LMs as policy and reference, float64: DPO's loss = the trainer's of β log(π/π_ref)",
      largest(differences.map((d) => d.loss)),
      float64Bounds.loss,
      `largest |Δ|, β in {${betas.join(", ")}}; 0 where both sides happen to make the same operations`,
    ),
    equivRow(
      "independent",
      "two causal LMs as policy and reference, float64: their slopes in the margin are equal",
      largest(differences.map((d) => d.slope)),
      float64Bounds.loss,
      "largest |Δ|",
    ),
  ];
}

/** A constant for each prompt, added to all its rewards. */
export function promptConstants(
  prompts: readonly (readonly TiltedReply[])[],
  loss: DifferenceLoss,
  random: Random,
): EquivRow[] {
  const shifted = prompts.map((replies) => {
    const f = 10 * random.normal();
    return replies.map((reply) => ({ ...reply, reward: reply.reward + f }));
  });
  const values = (set: readonly (readonly TiltedReply[])[]) =>
    allPairs(set).map(({ x, w, l }) => loss.ofPair(set[x]![w]!.reward - set[x]![l]!.reward, 1));
  const before = values(prompts);
  return [
    equivRow(
      "independent",
      "any f(x) added to a prompt's rewards leaves the trainer's loss where it was",
      largest(values(shifted).map((value, i) => Math.abs(value - before[i]!))),
      float64Bounds.loss,
      "f(x) = 10 z, z standard normal",
    ),
    equivRow(
      "independent",
      "any f(x) added to a prompt's rewards leaves DPO's loss of the head's policy equal to it",
      largest(betas.map((beta) => compareInFloat64(shifted, loss, beta).loss)),
      float64Bounds.loss,
      "Z(x) takes f(x) up",
    ),
  ];
}
