/**
 * @file DiscoPOP's log-ratio modulated loss, (1 - m) (-log sigmoid(d)) + m exp(-d) with m = sigmoid(d / τ), τ = 0.05:
 * Lu et al. 2024 (arXiv 2406.08414, eq. 5). For τ <= 1 the second part stays below 1, and is computed so.
 */
import { differenceLoss, expected } from "./pair-forms.ts";
import { sigmoid, softplusNegative } from "./stable.ts";

export const discopop = differenceLoss(
  {
    name: "discopop",
    aliases: ["lrml"],
    paper: "Lu et al. 2024, arXiv 2406.08414, eq. 5",
    formula: "-(1 - m) log σ(d) + m exp(-d), m = σ(d/τ)",
    reads: ["discopopTau"],
  },
  "discopop",
  expected((d, { discopopTau: tau }) => {
    const [m, rest] = [sigmoid(d / tau), sigmoid(-d / tau)];
    const tail = Math.exp(d < 0 ? d / tau - d : -d) / (1 + Math.exp(-Math.abs(d) / tau));
    const log = softplusNegative(d);
    return [rest * log + tail, (rest * (tail - m * log)) / tau - rest * sigmoid(-d) - tail];
  }),
);
