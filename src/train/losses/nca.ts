/**
 * @file Noise contrastive alignment of two replies, -log sigmoid(r_w) - log sigmoid(-r_w) / 2 - log sigmoid(-r_l) / 2:
 * Chen et al. 2024 (arXiv 2402.05369). The best reply's reward is raised, both are drawn towards 0.
 */
import { absoluteLoss } from "./pair-forms.ts";
import { sigmoid, softplusNegative } from "./stable.ts";

export const nca = absoluteLoss(
  {
    name: "nca",
    aliases: ["nca_pair", "nca-pair"],
    paper: "Chen et al. 2024, arXiv 2402.05369",
    formula: "-log σ(r_w) - ½ log σ(-r_w) - ½ log σ(-r_l)",
    reads: [],
  },
  "nca",
  (w, l) => ({
    loss: softplusNegative(w) + 0.5 * (softplusNegative(-w) + softplusNegative(-l)),
    chosen: 0.5 * sigmoid(w) - sigmoid(-w),
    rejected: 0.5 * sigmoid(l),
  }),
);
