/**
 * @file The pairwise logistic loss in float64 (Bradley-Terry; with a margin, Llama 2's arXiv:2307.09288 eq. 2; with
 * the centering term of TRL's reward trainer), and its gradient in the rewards.
 */
import { sigmoid, type Vector } from "./pointwise.ts";

/** log(1 + exp(x)), right at any x. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export interface PreferenceLoss {
  /** mean over pairs of softplus(-(chosen - rejected - margin)) + centering (chosen + rejected)^2 */
  readonly loss: number;
  /** d loss / d chosen_i and d loss / d rejected_i. */
  readonly chosenGradient: Float64Array;
  readonly rejectedGradient: Float64Array;
}

/** Rewards of n pairs, margins (0 where absent) and the centering coefficient. */
export function preferenceLoss(
  chosen: Vector,
  rejected: Vector,
  margins?: Vector,
  centering = 0,
): PreferenceLoss {
  const n = chosen.length;
  const chosenGradient = new Float64Array(n);
  const rejectedGradient = new Float64Array(n);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const difference = chosen[i]! - rejected[i]! - (margins?.[i] ?? 0);
    const sum = chosen[i]! + rejected[i]!;
    loss += (softplus(-difference) + centering * sum ** 2) / n;
    chosenGradient[i] = (-sigmoid(-difference) + 2 * centering * sum) / n;
    rejectedGradient[i] = (sigmoid(-difference) + 2 * centering * sum) / n;
  }
  return { loss, chosenGradient, rejectedGradient };
}
