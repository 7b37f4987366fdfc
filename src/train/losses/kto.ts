/**
 * @file KTO: λ_D (1 - sigmoid(r - z)) of a desirable reply, λ_U (1 - sigmoid(z - r)) of an undesirable one: Ethayarajh
 * et al. 2024 (arXiv 2402.01306, eq. 7), with r = β ρ and z = max(0, mean r of mismatched rows), detached. A mismatched
 * row is a prompt with the reply to another one of its batch (src/data/mismatch.ts).
 */
import { rowLoss } from "../../kernels/row-loss.ts";
import { defaultConstants, type RowLoss } from "./loss.ts";
import { sigmoid, sigmoidSlope } from "./stable.ts";

export const kto: RowLoss = {
  name: "kto",
  kind: "rows",
  aliases: ["kto_unpaired"],
  paper: "Ethayarajh et al. 2024, arXiv 2402.01306, eq. 7",
  formula:
    "desirable: λ_D (1 - σ(r - z)), undesirable: λ_U (1 - σ(z - r)), z = max(0, mean r of mismatched rows)",
  reads: ["desirableWeight", "undesirableWeight"],
  differences: false,
  record: (gpu, rewards, targets, { desirableWeight, undesirableWeight } = defaultConstants) =>
    rowLoss(gpu, "kto", rewards, targets, { desirable: desirableWeight, undesirable: undesirableWeight }),
  at: (r, z, p, { desirableWeight, undesirableWeight } = defaultConstants) => {
    const [good, bad] = [p * desirableWeight, (1 - p) * undesirableWeight];
    return {
      loss: good * sigmoid(z - r) + bad * sigmoid(r - z),
      slope: (bad - good) * sigmoidSlope(r - z),
    };
  },
};
