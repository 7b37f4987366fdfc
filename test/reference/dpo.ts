/** @file DPO's expected loss of a policy that is a table, in float64, with its gradient by finite differences. */
import { softplus } from "./preference-loss.ts";

/** log softmax of one row. */
export function logSoftmax(row: readonly number[]): number[] {
  const most = Math.max(...row);
  const logZ = most + Math.log(row.reduce((sum, v) => sum + Math.exp(v - most), 0));
  return row.map((v) => v - logZ);
}

/** Sum over i, j of wins[i][j] times -log sigmoid(beta (log pi_i/ref_i - log pi_j/ref_j)), of one prompt. */
export function tableLoss(
  logits: readonly number[],
  logReference: readonly number[],
  wins: readonly (readonly number[])[],
  beta: number,
): number {
  const ratio = logSoftmax(logits).map((v, k) => v - logReference[k]!);
  let loss = 0;
  for (const [i, row] of wins.entries())
    for (const [j, weight] of row.entries())
      if (i !== j) loss += weight * softplus(-beta * (ratio[i]! - ratio[j]!));
  return loss;
}

/** d f / d x by central differences. */
export function finiteDifferences(f: (x: readonly number[]) => number, x: readonly number[]): number[] {
  const h = 1e-5;
  return x.map((_, i) => {
    const moved = (by: number) => f(x.map((v, j) => (j === i ? v + by : v)));
    return (moved(h) - moved(-h)) / (2 * h);
  });
}
