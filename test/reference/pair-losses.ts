/**
 * @file Losses of one pair in float64, as the papers write them: of the log-ratios ρ = log π(y|x)/π_ref(y|x) of chosen and
 * rejected, β, and the smoothing ε. Soft labels: the mean over which reply is the better one.
 */
import type { LossName } from "../../src/train/losses/loss.ts";

export interface PaperConstants {
  readonly beta: number;
  readonly eps: number;
  readonly tau: number;
}

type Paper = (w: number, l: number, c: PaperConstants) => number;

const sigma = (x: number) => 1 / (1 + Math.exp(-x));
/** log σ(x), also where σ(x) is too small or too near 1 for a logarithm of it. */
const logSigma = (x: number) => (x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x)));
/** p log p, which goes to 0 with p. */
const xlogx = (p: number, log: number) => (p === 0 ? 0 : p * log);

export type PairLossName = Exclude<LossName, "kto" | "plackett-luce" | "lipo" | "nll" | "cringe">;

export const paperLosses: Readonly<Record<PairLossName, Paper>> = {
  logistic: (w, l, { beta, eps }) => -(1 - eps) * logSigma(beta * (w - l)) - eps * logSigma(-beta * (w - l)),
  robust: (w, l, { beta, eps }) =>
    (-(1 - eps) * logSigma(beta * (w - l)) + eps * logSigma(-beta * (w - l))) / (1 - 2 * eps),
  hinge: (w, l, { beta }) => Math.max(0, 1 - beta * (w - l)),
  ipo: (w, l, { beta }) => (w - l - 1 / (2 * beta)) ** 2,
  // KL of the policy's two-way softmax from (1 - ε, ε).
  exo: (w, l, { beta, eps }) => {
    const z = beta * (w - l);
    const [q, other] = [sigma(z), sigma(-z)];
    return xlogx(q, logSigma(z)) - q * Math.log(1 - eps) + xlogx(other, logSigma(-z)) - other * Math.log(eps);
  },
  discopop: (w, l, { beta, tau }) => {
    const z = beta * (w - l);
    const m = sigma(z / tau);
    return (1 - m) * -logSigma(z) + (m === 0 ? 0 : m * Math.exp(-z));
  },
  nca: (w, l, { beta }) => -logSigma(beta * w) - 0.5 * logSigma(-beta * w) - 0.5 * logSigma(-beta * l),
  bco: (w, l, { beta }) => -logSigma(beta * w) - logSigma(-beta * l),
  sppo: (w, l, { beta }) => (w - 1 / (2 * beta)) ** 2 + (l + 1 / (2 * beta)) ** 2,
  "apo-zero": (w, l, { beta }) => 1 - sigma(beta * w) + sigma(beta * l),
  "apo-down": (w, l, { beta }) => sigma(beta * w) + 1 - sigma(beta * (w - l)),
};

/** EXO's label is a distribution: KL from (t, 1 - t), t the label p smoothed. */
function exoOfLabel(z: number, p: number, eps: number): number {
  const t = eps + (1 - 2 * eps) * p;
  const [q, other] = [sigma(z), sigma(-z)];
  return xlogx(q, logSigma(z)) - q * Math.log(t) + xlogx(other, logSigma(-z)) - other * Math.log(1 - t);
}

/** Losses that see the difference alone take a margin, in units of rewards β ρ. */
const ofDifference: readonly PairLossName[] = ["logistic", "robust", "hinge", "ipo", "exo", "discopop"];

/** The loss of rewards r = β ρ with a margin m and a label p. */
export function paperLoss(
  name: PairLossName,
  [w, l]: readonly [number, number],
  margin: number,
  p: number,
  c: PaperConstants,
): number {
  const m = ofDifference.includes(name) ? margin : 0;
  if (name === "exo") return exoOfLabel(w - l - m, p, c.eps);
  const of = (better: number, worse: number) => paperLosses[name](better / c.beta, worse / c.beta, c);
  return p * of(w - m, l) + (1 - p) * of(l, w - m);
}
