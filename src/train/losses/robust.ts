/**
 * @file (-(1 - ε) log sigmoid(d) + ε log sigmoid(-d)) / (1 - 2 ε): the logistic loss corrected so that its mean over
 * labels that flip with probability ε < 1/2 is the loss of the true ones. Ray Chowdhury, Kini & Natarajan 2024,
 * "Provably robust DPO" (arXiv 2403.00409). It is the logistic loss at the label (p - ε) / (1 - 2 ε), and has no
 * smallest value: beyond some d it falls without end.
 */
import { logisticPoint } from "./logistic.ts";
import { differenceLoss } from "./pair-forms.ts";

export const robust = differenceLoss(
  {
    name: "robust",
    aliases: ["rdpo", "robust_dpo"],
    paper: "Ray Chowdhury et al. 2024, arXiv 2403.00409",
    formula: "(-(1 - ε) log σ(d) + ε log σ(-d)) / (1 - 2 ε)",
    reads: ["labelSmoothing"],
  },
  "robust",
  (d, p, { labelSmoothing: flips }) => logisticPoint(d, (p - flips) / (1 - 2 * flips)),
);
