/** @file Implicit rewards in float64, from the papers' equations. */

/** log(p / (1 - p)) of p = exp(m), m < 0 (Hong et al. 2024, arXiv 2403.07691, eq. 4). */
export function logOdds(m: number): number {
  return m - Math.log(-Math.expm1(m));
}

/** β log-ratio (DPO, arXiv 2305.18290) or, with `odds`, β times the log-odds of the mean token probability. */
export function implicitReward(
  logp: number,
  { scale, reference, odds }: { scale: number; reference: number; odds?: number | undefined },
): number {
  const m = scale * (logp - reference);
  return odds === undefined ? m : odds * logOdds(m);
}
