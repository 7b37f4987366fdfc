/**
 * @file Anchored preference optimisation, D'Oosterlinck et al. 2024 (arXiv 2408.06266). zero (eq. 7): the chosen reply is
 * better than what the model writes, so that its reward rises and the other's falls. down (eq. 8): it is worse, so that
 * both fall, the rejected reply's further.
 */
import { absoluteLoss } from "./pair-forms.ts";
import { sigmoid, sigmoidSlope } from "./stable.ts";

export const apoZero = absoluteLoss(
  {
    name: "apo-zero",
    aliases: ["apo_zero"],
    paper: "D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 7",
    formula: "1 - σ(r_w) + σ(r_l)",
    reads: [],
  },
  "apo_zero",
  (w, l) => ({
    loss: sigmoid(-w) + sigmoid(l),
    chosen: -sigmoidSlope(w),
    rejected: sigmoidSlope(l),
  }),
);

export const apoDown = absoluteLoss(
  {
    name: "apo-down",
    aliases: ["apo_down"],
    paper: "D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 8",
    formula: "σ(r_w) + 1 - σ(r_w - r_l)",
    reads: [],
  },
  "apo_down",
  (w, l) => {
    const apart = sigmoidSlope(w - l);
    return { loss: sigmoid(w) + sigmoid(l - w), chosen: sigmoidSlope(w) - apart, rejected: apart };
  },
);
