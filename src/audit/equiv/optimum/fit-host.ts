/** @file Both objectives on a table, to the optimum in float64: rewards by the trainer's loss, a policy by DPO's. */
import type { DifferenceLoss } from "../../../train/losses/loss.ts";
import { dpoGradient, dpoLoss, dpoWeight } from "../dpo-paper.ts";
import type { Wins } from "./comparisons.ts";
import { type Local, type Minimum, minimise } from "./newton.ts";

/** Norm of the gradient at which a fit of one prompt is done. */
export const gradientTolerance = 1e-10;

/** A scalar reward for each response: minimises the sum of n_ij loss(r_i - r_j, wins_ij / n_ij), n_ij = both sides' wins. */
export function fitRewards(wins: Wins, loss: DifferenceLoss): Minimum {
  return minimise((r) => rewardLoss(r, wins, loss), zeros(wins.length), gradientTolerance);
}

function rewardLoss(r: readonly number[], wins: Wins, loss: DifferenceLoss): Local {
  const { gradient, hessian } = empty(r.length);
  let value = 0;
  for (let i = 0; i < r.length; i++) {
    for (let j = i + 1; j < r.length; j++) {
      const n = wins[i]![j]! + wins[j]![i]!;
      if (n === 0) continue;
      const [d, p] = [r[i]! - r[j]!, wins[i]![j]! / n];
      value += n * loss.ofPair(d, p);
      gradient[i]! += n * loss.slope(d, p);
      gradient[j]! -= n * loss.slope(d, p);
      const wrong = -loss.slope(d, 1);
      addOuter(hessian, n * wrong * (1 - wrong), unit(r.length, i, j));
    }
  }
  return { value, gradient, hessian };
}

/**
 * A policy π = softmax(θ) over the responses: minimises DPO's expected loss, the sum of wins_ij dpo(i preferred to j).
 * The gradient is the paper's, through ∇_θ log π(k) = e_k - π.
 * @param logReference log π_ref, which π begins with
 * @returns log π as `logProbs`
 */
export function fitPolicy(
  wins: Wins,
  logReference: readonly number[],
  beta: number,
): Minimum & { readonly logProbs: readonly number[] } {
  const found = minimise((x) => policyLoss(x, wins, logReference, beta), logReference, gradientTolerance);
  return { ...found, logProbs: logSoftmax(found.x) };
}

function policyLoss(
  theta: readonly number[],
  wins: Wins,
  logReference: readonly number[],
  beta: number,
): Local {
  const logProbs = logSoftmax(theta);
  const scores = theta.map((_, k) => theta.map((_, m) => (k === m ? 1 : 0) - Math.exp(logProbs[m]!)));
  const { gradient, hessian } = empty(theta.length);
  let value = 0;
  for (const [i, row] of wins.entries()) {
    for (const [j, weight] of row.entries()) {
      if (weight === 0) continue;
      const four = {
        policyChosen: logProbs[i]!,
        policyRejected: logProbs[j]!,
        referenceChosen: logReference[i]!,
        referenceRejected: logReference[j]!,
      };
      value += weight * dpoLoss(four, beta);
      const [won, lost] = [scores[i]!, scores[j]!];
      for (const [m, g] of dpoGradient(four, beta, won, lost).entries()) gradient[m]! += weight * g;
      const wrong = dpoWeight(four, beta);
      const apart = won.map((s, m) => s - lost[m]!);
      addOuter(hessian, weight * beta ** 2 * wrong * (1 - wrong), apart);
    }
  }
  return { value, gradient, hessian };
}

/** log softmax, normalised to rounding. */
export function logSoftmax(theta: readonly number[]): number[] {
  const most = Math.max(...theta);
  const logZ = most + Math.log(theta.reduce((sum, v) => sum + Math.exp(v - most), 0));
  return theta.map((v) => v - logZ);
}

const zeros = (n: number): number[] => new Array<number>(n).fill(0);
const unit = (n: number, i: number, j: number) => zeros(n).map((_, k) => (k === i ? 1 : k === j ? -1 : 0));

function empty(n: number): { gradient: number[]; hessian: number[][] } {
  return { gradient: zeros(n), hessian: Array.from({ length: n }, () => zeros(n)) };
}

function addOuter(into: number[][], scale: number, v: readonly number[]): void {
  for (let a = 0; a < v.length; a++) for (let b = 0; b < v.length; b++) into[a]![b]! += scale * v[a]! * v[b]!;
}
