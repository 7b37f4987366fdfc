/**
 * @file SPPO with hard labels, (ρ_w - 1/(2 β))^2 + (ρ_l + 1/(2 β))^2 of the log-ratios ρ = r / β: Wu et al. 2024 (arXiv
 * 2405.00675), the winner's probability of winning taken as 1.
 */
import { absoluteLoss } from "./pair-forms.ts";

export const sppo = absoluteLoss(
  {
    name: "sppo",
    aliases: ["sppo_hard", "sppo-hard"],
    paper: "Wu et al. 2024, arXiv 2405.00675",
    formula: "(r_w/β - 1/(2 β))² + (r_l/β + 1/(2 β))²",
    reads: ["beta"],
  },
  "sppo",
  (w, l, { beta }) => {
    const [a, b] = [(w - 0.5) / beta, (l + 0.5) / beta];
    return { loss: a * a + b * b, chosen: (2 * a) / beta, rejected: (2 * b) / beta };
  },
);
