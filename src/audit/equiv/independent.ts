/**
 * @file Independent evidence: DPO written from the paper, in files that import nothing of the trainer's, beside the
 * trainer's loss, on log-probabilities that a causal LM computed.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import type { DifferenceObjective } from "../../train/objectives.ts";
import { dpoLoss, dpoMargin, dpoWeight } from "./dpo-paper.ts";
import { type DeviceLosses, type DevicePair, dpoOnDevice, trainerOnDevice } from "./float32.ts";
import { allPairs, compareInFloat64 } from "./float64.ts";
import type { ScoredReply } from "./language-model.ts";
import { type EquivRow, equivRow, largest } from "./row.ts";
import { fourLogProbs, type TiltedReply, tilt } from "./tilted-policy.ts";

export const betas = [0.01, 0.1, 1] as const;

/** |Δloss| and the relative Δgradient that float64 must keep. */
export const float64Bounds = { loss: 1e-12, gradient: 1e-10 } as const;

/** What float32 arithmetic may add to a loss or to σ: exp, log and a few roundings near 1, of two kernels. */
const roundingOfLoss = 2 ** -21;

/** Replies with the rewards w . h of one head. @param rewards of all replies, in order */
export function withRewards(
  prompts: readonly (readonly ScoredReply[])[],
  rewards: ArrayLike<number>,
): TiltedReply[][] {
  let next = 0;
  return prompts.map((replies) =>
    replies.map(({ logProb, features }) => ({ logReference: logProb, reward: rewards[next++]!, features })),
  );
}

/** The head as a policy, whose log-probabilities DPO is given: all of it in float64. */
export function tiltedInFloat64(
  prompts: readonly (readonly TiltedReply[])[],
  { loss }: DifferenceObjective,
): EquivRow[] {
  return betas.flatMap((beta) => {
    const whole = compareInFloat64(prompts, loss, beta);
    const without = compareInFloat64(prompts, loss, beta, true);
    const pairs = allPairs(prompts).length;
    return [
      equivRow(
        "independent",
        `β = ${beta}, float64: DPO's loss of the head's policy = the trainer's loss of the head's rewards`,
        whole.loss,
        float64Bounds.loss,
        `largest |Δ| of ${pairs} pairs`,
      ),
      equivRow(
        "independent",
        `β = ${beta}, float64: their gradients in the head are equal`,
        whole.gradient,
        float64Bounds.gradient,
        "relative; through ∇ log Z(x) on DPO's side",
      ),
      equivRow(
        "independent",
        `β = ${beta}, float64: the same with Z(x) left out`,
        without.loss,
        float64Bounds.loss,
        "Z(x) cancels, so nobody needs it",
      ),
    ];
  });
}

/** The same on the device, with what float32 may lose in log-probabilities of this size. */
export async function tiltedInFloat32(
  gpu: Gpu,
  objective: DifferenceObjective,
  prompts: readonly (readonly TiltedReply[])[],
): Promise<EquivRow[]> {
  const rows: EquivRow[] = [];
  for (const beta of betas) {
    const pairs = devicePairs(prompts, beta);
    const ours = await trainerOnDevice(gpu, objective, pairs);
    rows.push(...float32Rows(pairs, beta, ours, await dpoOnDevice(gpu, pairs, beta)));
  }
  return rows;
}

/** All pairs as the device is given them: the rewards, and the log-probabilities of the policy that they make. */
export function devicePairs(prompts: readonly (readonly TiltedReply[])[], beta: number): DevicePair[] {
  const policies = prompts.map((replies) => tilt(replies, beta));
  return allPairs(prompts).map(({ x, w, l }) => {
    const [replies, { logProbs, scores }] = [prompts[x]!, policies[x]!];
    return {
      rewards: [replies[w]!.reward, replies[l]!.reward],
      features: [replies[w]!.features, replies[l]!.features],
      four: fourLogProbs(replies, logProbs, w, l),
      scores: [scores[w]!, scores[l]!],
    };
  });
}

/** By how much four float32 units of β max|log p| may move each pair's margin. */
const marginSlack = (pairs: readonly DevicePair[], beta: number) =>
  pairs.map(({ four }) => 4 * ulp(beta * Math.max(...Object.values(four).map(Math.abs))));

/** Largest |DPO's loss - the trainer's| of a pair, as a share of what float32 may do to it. */
export function lossShare(
  pairs: readonly DevicePair[],
  beta: number,
  ours: DeviceLosses,
  theirs: DeviceLosses,
): number {
  const moved = marginSlack(pairs, beta);
  return largest(
    pairs.map(({ four }, i) => {
      const allowed = dpoWeight(four, beta) * moved[i]! + moved[i]! ** 2 / 8 + roundingOfLoss;
      return Math.abs(theirs.losses[i]! - ours.losses[i]!) / allowed;
    }),
  );
}

function float32Rows(
  pairs: readonly DevicePair[],
  beta: number,
  ours: DeviceLosses,
  theirs: DeviceLosses & { readonly margins: Float32Array },
): EquivRow[] {
  const moved = marginSlack(pairs, beta);
  const margins = pairs.map(({ four }, i) => Math.abs(theirs.margins[i]! - dpoMargin(four, beta)));
  const losses = ours.losses.map((loss, i) => Math.abs(theirs.losses[i]! - loss));
  const exact = largest(pairs.map(({ four }, i) => Math.abs(theirs.losses[i]! - dpoLoss(four, beta))));
  const gradient = Math.hypot(...ours.gradient.map((g, j) => theirs.gradient[j]! - g));
  const allowed = pairs.reduce((sum, pair, i) => sum + gradientSlack(pair, beta, moved[i]!, pairs.length), 0);
  const size = Math.hypot(...ours.gradient);
  const row = (claim: string, value: number, bound: number, detail: string) =>
    equivRow("independent", `β = ${beta}, float32 on the device: ${claim}`, value, bound, detail);
  return [
    row(
      "DPO's margin, in ulp of β max|log p|",
      largest(margins.map((difference, i) => (4 * difference) / moved[i]!)),
      4,
      `against float64; largest |Δ| ${largest(margins).toExponential(1)}`,
    ),
    row(
      "DPO's loss = the trainer's, as far as that moves it",
      lossShare(pairs, beta, ours, theirs),
      1,
      `share of what is allowed; largest |Δ| ${largest(losses).toExponential(1)}, of DPO's to float64 ${exact.toExponential(1)}`,
    ),
    row(
      "their gradients in the head, likewise",
      gradient / allowed,
      1,
      `share of what is allowed; relative ‖Δ‖ ${(gradient / size).toExponential(1)}, allowed ${(allowed / size).toExponential(1)}`,
    ),
  ];
}

/** By how much a pair's part of the mean gradient may move: through σ, and through float32 sums over 2 n rows. */
function gradientSlack(
  { features, scores, four }: DevicePair,
  beta: number,
  moved: number,
  n: number,
): number {
  const sigma = dpoWeight(four, beta);
  const norm = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));
  const [w, l] = features;
  const apart = Math.hypot(...Array.from(w, (value, j) => value - l[j]!));
  const slope = (sigma * (1 - sigma) * moved + moved ** 2 / 8 + roundingOfLoss) * apart;
  const sums = 2 * n * 2 ** -24 * sigma * (norm(w) + norm(l) + beta * (norm(scores[0]) + norm(scores[1])));
  return (slope + sums) / n;
}

/** The distance of float32 numbers of this size. */
function ulp(value: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - 23);
}
