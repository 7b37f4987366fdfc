/**
 * @file The logistic loss -p log sigmoid(d) - (1 - p) log sigmoid(-d), d = r_w - r_l - margin: the likelihood of Bradley
 * & Terry 1952. Ouyang et al. 2022 (arXiv 2203.02155, eq. 1) train reward models with it, Rafailov et al. 2023
 * (arXiv 2305.18290, eq. 7) policies; what the rewards are is not this file's matter. Label smoothing puts
 * (1 - ε) p + ε (1 - p) in p's place (Mitchell 2023, "A note on DPO with noisy preferences": cDPO).
 */
import { differenceLoss, type Point, smoothed } from "./pair-forms.ts";
import { sigmoid, softplusNegative } from "./stable.ts";

export { softplusNegative } from "./stable.ts";

/** Of a label that may lie outside of [0, 1]. */
export function logisticPoint(d: number, p: number): Point {
  return [p * softplusNegative(d) + (1 - p) * softplusNegative(-d), (1 - p) * sigmoid(d) - p * sigmoid(-d)];
}

export const logistic = differenceLoss(
  {
    name: "logistic",
    aliases: ["sigmoid", "bradley-terry", "cdpo"],
    paper:
      "Bradley & Terry 1952; Ouyang et al. 2022, arXiv 2203.02155, eq. 1; Rafailov et al. 2023, arXiv 2305.18290, eq. 7; smoothing: Mitchell 2023",
    formula: "-(1 - ε) log σ(d) - ε log σ(-d)",
    reads: ["labelSmoothing"],
  },
  "logistic",
  (d, p, { labelSmoothing }) => logisticPoint(d, smoothed(p, labelSmoothing)),
);
