/**
 * @file Pairwise CRINGE, g (-log π(y_w) + α c(y_l)) with the gate g = σ((b - (log π(y_w) - log π(y_l))) / τ), after Xu et al.
 * 2023 (arXiv 2312.16682), c the token-level penalty of Adolphs et al. 2022 (arXiv 2211.05826), both summed over tokens.
 * Written from descriptions of that formula, not from the paper's own text: that the gradient goes through the gate too is
 * our reading, and the defaults of α, b, τ and k are ours. The penalty is drawn at random in each step: evaluations on the
 * host leave it out.
 */
import { cringePairs } from "../../kernels/pair-loss-cringe.ts";
import { defaultConstants, type PairLoss } from "./loss.ts";
import { sigmoid, sigmoidSlope } from "./stable.ts";

export const cringe: PairLoss = {
  name: "cringe",
  kind: "pairs",
  aliases: [],
  paper: "after Xu et al. 2023, arXiv 2312.16682, with Adolphs et al. 2022, arXiv 2211.05826",
  formula: "σ((b - (r_w - r_l)) / τ) (-r_w + α c(y_l)), r = log π, c = Σ softplus(s_t - s*_t)",
  reads: ["cringeWeight", "cringeMargin", "cringeTemperature"],
  differences: false,
  record: (gpu, rewards, targets, constants = defaultConstants) =>
    cringePairs(gpu, rewards, targets, {
      weight: constants.cringeWeight,
      margin: constants.cringeMargin,
      temperature: constants.cringeTemperature,
    }),
  at: (chosen, rejected, _, { cringeMargin: b, cringeTemperature: t } = defaultConstants) => {
    const z = (b - (chosen - rejected)) / t;
    const [gate, slope] = [sigmoid(z), sigmoidSlope(z) / t];
    return { loss: -gate * chosen, chosen: -gate + chosen * slope, rejected: -chosen * slope };
  },
};
