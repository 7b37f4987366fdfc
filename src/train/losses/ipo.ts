/**
 * @file IPO, (Δ - 1/(2 β))^2 with Δ = ρ_w - ρ_l the log-ratios: Azar et al. 2023 (arXiv 2310.12036, eq. 17). Rewards are
 * r = β ρ, so here it is ((d - 1/2) / β)^2: smallest at d = 1/2, which is Δ = 1/(2 β). Whether log-ratios are sums over a
 * reply's tokens, as in the paper, or means is the reward's matter.
 */
import { differenceLoss, expected } from "./pair-forms.ts";

export const ipo = differenceLoss(
  {
    name: "ipo",
    aliases: ["squared"],
    paper: "Azar et al. 2023, arXiv 2310.12036, eq. 17",
    formula: "(d/β - 1/(2 β))²",
    reads: ["beta"],
  },
  "ipo",
  expected((d, { beta }) => {
    const away = (d - 0.5) / beta;
    return [away ** 2, (2 * away) / beta];
  }),
);
