/**
 * @file Direct Preference Optimization of one pair in float64, written from the paper's formulas (Rafailov et al. 2023,
 * arXiv 2305.18290): eq. 7 and the gradient of section 4, in four log-probabilities. It imports nothing, so that what
 * it is compared with cannot be what it is made of; a test holds that.
 */

/** Of the reply that was preferred and of the other one, under the policy and under the reference. */
export interface FourLogProbs {
  readonly policyChosen: number;
  readonly policyRejected: number;
  readonly referenceChosen: number;
  readonly referenceRejected: number;
}

/** β log(π(y_w|x)/π_ref(y_w|x)) - β log(π(y_l|x)/π_ref(y_l|x)): the difference of the implicit rewards. */
export function dpoMargin(p: FourLogProbs, beta: number): number {
  return beta * (p.policyChosen - p.referenceChosen) - beta * (p.policyRejected - p.referenceRejected);
}

/** Eq. 7 of one pair: -log σ(margin). */
export function dpoLoss(p: FourLogProbs, beta: number): number {
  const margin = dpoMargin(p, beta);
  // 1/σ(m) = 1 + exp(-m); for m < 0 the larger summand is taken out of the logarithm.
  return margin < 0 ? Math.log1p(Math.exp(margin)) - margin : Math.log1p(Math.exp(-margin));
}

/** σ(r̂(y_l) - r̂(y_w)): by how much the implicit reward orders the pair wrongly. */
export function dpoWeight(p: FourLogProbs, beta: number): number {
  return 1 / (1 + Math.exp(dpoMargin(p, beta)));
}

/**
 * The gradient of eq. 7 of one pair: -β σ(r̂(y_l) - r̂(y_w)) [∇ log π(y_w|x) - ∇ log π(y_l|x)].
 * @param gradChosen ∇ log π(y_w|x) @param gradRejected ∇ log π(y_l|x), in whatever parameters
 */
export function dpoGradient(
  p: FourLogProbs,
  beta: number,
  gradChosen: ArrayLike<number>,
  gradRejected: ArrayLike<number>,
): Float64Array {
  const scale = -beta * dpoWeight(p, beta);
  return Float64Array.from(
    { length: gradChosen.length },
    (_, i) => scale * (gradChosen[i]! - gradRejected[i]!),
  );
}
