/**
 * @file EXO for pairs: the reverse KL divergence KL(q || t) of q = sigmoid(d) from the label t smoothed by ε > 0,
 * q log(q / t) + (1 - q) log((1 - q) / (1 - t)): Ji et al. 2024 (arXiv 2402.00856, eq. 16, where the label is 1).
 */
import { differenceLoss, smoothed } from "./pair-forms.ts";
import { sigmoid, sigmoidSlope } from "./stable.ts";

export const exo = differenceLoss(
  {
    name: "exo",
    aliases: ["exo_pair", "exo-pair"],
    paper: "Ji et al. 2024, arXiv 2402.00856, eq. 16",
    formula: "q (log q - log(1 - ε)) + (1 - q) (log(1 - q) - log ε), q = σ(d)",
    reads: ["labelSmoothing"],
    leastSmoothing: 1e-3,
  },
  "exo",
  (d, p, { labelSmoothing: flips }) => {
    const [right, wrong] = [Math.log(smoothed(p, flips)), Math.log(smoothed(1 - p, flips))];
    const e = Math.exp(-Math.abs(d));
    const entropy = Math.log1p(e) + (Math.abs(d) * e) / (1 + e);
    return [-sigmoid(d) * right - sigmoid(-d) * wrong - entropy, sigmoidSlope(d) * (d - right + wrong)];
  },
);
