/**
 * @file The pairwise logistic loss in float64 (Bradley-Terry; with soft labels; with a margin, Llama 2's
 * arXiv:2307.09288 eq. 2; with the centering term of TRL's reward trainer), and its gradient in the rewards.
 */
import { sigmoid, type Vector } from "./pointwise.ts";

/** log(1 + exp(x)), right at any x. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export interface PreferenceLoss {
  /** sum over pairs of -p log sigmoid(d) - (1 - p) log sigmoid(-d) + centering (chosen + rejected)^2, by `total` */
  readonly loss: number;
  /** d loss / d chosen_i and d loss / d rejected_i. */
  readonly chosenGradient: Float64Array;
  readonly rejectedGradient: Float64Array;
}

/** Rewards of n pairs, margins (0 where absent), the centering coefficient, labels p (1 where absent). */
export function preferenceLoss(
  chosen: Vector,
  rejected: Vector,
  margins?: Vector,
  centering = 0,
  labels?: Vector,
  total = chosen.length,
): PreferenceLoss {
  const n = chosen.length;
  const chosenGradient = new Float64Array(n);
  const rejectedGradient = new Float64Array(n);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const difference = chosen[i]! - rejected[i]! - (margins?.[i] ?? 0);
    const sum = chosen[i]! + rejected[i]!;
    const p = labels?.[i] ?? 1;
    const pull = p * sigmoid(-difference) - (1 - p) * sigmoid(difference);
    loss += (p * softplus(-difference) + (1 - p) * softplus(difference) + centering * sum ** 2) / total;
    chosenGradient[i] = (-pull + 2 * centering * sum) / total;
    rejectedGradient[i] = (pull + 2 * centering * sum) / total;
  }
  return { loss, chosenGradient, rejectedGradient };
}
