/**
 * @file LiPO-λ: Σ over pairs with ψ_i > ψ_j of Δ_ij log(1 + exp(-(r_i - r_j))), weighted as DCG would change if the two
 * changed places: Δ_ij = |G_i - G_j| |1/D(τ_i) - 1/D(τ_j)|, G = 2^ψ - 1, D(τ) = log(1 + τ), τ the place by reward from 1.
 * Liu et al. 2024 (arXiv 2402.01878). Equal rewards take places in the list's order, so that a head of zeros learns.
 */
import { listLoss } from "../../kernels/list-loss.ts";
import type { ListLoss } from "./loss.ts";
import { sigmoid, softplusNegative } from "./stable.ts";

export const lipo: ListLoss = {
  name: "lipo",
  kind: "lists",
  aliases: ["lipo-lambda", "lambdaloss"],
  paper: "Liu et al. 2024, arXiv 2402.01878 (LiPO-λ)",
  formula:
    "Σ_{ψ_i > ψ_j} |G_i - G_j| |1/D(τ_i) - 1/D(τ_j)| log(1 + exp(r_j - r_i)), G = 2^ψ - 1, D = log(1 + τ)",
  reads: [],
  differences: true,
  record: (gpu, rewards, targets) => listLoss(gpu, "lipo", rewards, targets),
  at: (rewards, gains) => {
    const r = Array.from(rewards);
    const discounts = r.map((mine, i) => {
      const before = r.filter((theirs, k) => theirs > mine || (theirs === mine && k < i)).length;
      return 1 / Math.log(2 + before);
    });
    const gradient = new Float64Array(r.length);
    let loss = 0;
    for (const [i, mine] of r.entries()) {
      for (const [j, theirs] of r.entries()) {
        const apart = gains[i]! - gains[j]!;
        if (apart <= 0) continue;
        const weight = apart * Math.abs(discounts[i]! - discounts[j]!);
        loss += weight * softplusNegative(mine - theirs);
        gradient[i]! -= weight * sigmoid(theirs - mine);
        gradient[j]! += weight * sigmoid(theirs - mine);
      }
    }
    return { loss, gradient };
  },
};
