/**
 * @file max(0, 1 - d): the calibration loss of SLiC-HF (Zhao et al. 2023, arXiv 2305.10425), on log-ratios in Liu et
 * al. 2023 (arXiv 2309.06657). The slope at d = 1 is 0.
 */
import { differenceLoss, expected } from "./pair-forms.ts";

export const hinge = differenceLoss(
  {
    name: "hinge",
    aliases: ["slic"],
    paper: "Zhao et al. 2023, arXiv 2305.10425; Liu et al. 2023, arXiv 2309.06657",
    formula: "max(0, 1 - d)",
    reads: [],
  },
  "hinge",
  expected((d) => [Math.max(0, 1 - d), d < 1 ? -1 : 0]),
);
