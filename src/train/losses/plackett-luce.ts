/**
 * @file The Plackett-Luce likelihood of a ranking, -Σ_k log(exp(r_k) / Σ_{j >= k} exp(r_j)) from the best reply on: Luce
 * 1959, Plackett 1975; for K-wise reward models Zhu et al. 2023 (arXiv 2301.11270), for policies Rafailov et al. 2023
 * (arXiv 2305.18290, appendix A.3). Two replies: the logistic loss. Ties: the mean over the orders of the tied replies,
 * by subsets as the kernel's header says (wgsl/lib/list_loss.plackett_luce.wgsl), so that two tied replies give the
 * logistic loss of the label 1/2.
 */
import { listLoss } from "../../kernels/list-loss.ts";
import type { ListLoss } from "./loss.ts";

/** Replies of one rank that a list may have: the mean is over the subsets of a tie. */
export const mostTied = 16;

export const plackettLuce: ListLoss = {
  name: "plackett-luce",
  kind: "lists",
  aliases: ["plackett_luce", "pl", "listmle"],
  paper:
    "Luce 1959; Plackett 1975; Zhu et al. 2023, arXiv 2301.11270; Rafailov et al. 2023, arXiv 2305.18290, app. A.3",
  formula: "-Σ_k log(exp r_k / Σ_{j ≥ k} exp r_j), k from the best reply on; ties: mean over their orders",
  reads: [],
  differences: true,
  record: (gpu, rewards, targets) => listLoss(gpu, "plackett_luce", rewards, targets),
  at: (rewards, gains) => {
    const r = Array.from(rewards);
    const gradient = new Float64Array(r.length);
    let loss = 0;
    for (const gain of new Set(Array.from(gains))) {
      const tied = indices(gains, (g) => g === gain);
      const worse = indices(gains, (g) => g < gain);
      if (tied.length > mostTied) throw new Error(`a tie of ${tied.length} replies; at most ${mostTied}`);
      for (let mask = 1; mask < 2 ** tied.length; mask++) {
        const some = tied.filter((_, seat) => (mask >> seat) & 1);
        const weight = 1 / ways(tied.length, some.length);
        const left = [...some, ...worse];
        const most = Math.max(...left.map((j) => r[j]!));
        const sum = left.reduce((total, j) => total + Math.exp(r[j]! - most), 0);
        const below = some.reduce((total, j) => total + (most - r[j]!), 0) / some.length;
        loss += weight * (below + Math.log(sum));
        for (const j of left) gradient[j]! += (weight * Math.exp(r[j]! - most)) / sum;
        for (const j of some) gradient[j]! -= weight / some.length;
      }
    }
    return { loss, gradient };
  },
};

const indices = (values: ArrayLike<number>, keep: (value: number) => boolean) =>
  Array.from(values).flatMap((value, i) => (keep(value) ? [i] : []));

/** n over k. */
function ways(n: number, k: number): number {
  let count = 1;
  for (let i = 0; i < k; i++) count = (count * (n - i)) / (i + 1);
  return count;
}
