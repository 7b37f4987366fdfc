/**
 * @file Binary classifier optimisation of a pair, -log sigmoid(r_w) - log sigmoid(-r_l): Jung et al. 2024 (arXiv
 * 2404.04656), without the paper's shift of the rewards by their moving mean, as TRL's bco_pair.
 */
import { absoluteLoss } from "./pair-forms.ts";
import { sigmoid, softplusNegative } from "./stable.ts";

export const bco = absoluteLoss(
  {
    name: "bco",
    aliases: ["bco_pair", "bco-pair"],
    paper: "Jung et al. 2024, arXiv 2404.04656 (without its reward shift)",
    formula: "-log σ(r_w) - log σ(-r_l)",
    reads: [],
  },
  "bco",
  (w, l) => ({
    loss: softplusNegative(w) + softplusNegative(-l),
    chosen: -sigmoid(-w),
    rejected: sigmoid(l),
  }),
);
