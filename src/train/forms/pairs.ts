/** @file Preference pairs: two sequences each, the chosen reply's before the rejected one's. */
import { uploadTensor } from "../../tensor/tensor.ts";
import { type PairRewards, pairMetrics } from "../evaluate.ts";
import type { Pair } from "../example-sets.ts";
import type { PairObjective } from "../objectives.ts";
import type { ExampleForm } from "./form.ts";

/** @param centering c of c * mean((r_w + r_l)^2) */
export function pairForm(objective: PairObjective, centering: number): ExampleForm<Pair> {
  const { loss, constants, margin } = objective;
  return {
    order: bySide,
    total: (pairs) => pairs.length,
    record(gpu, rewards, pairs, { capacity, reference: _, ...place }) {
      const column = (of: (pair: Pair) => number, label: string) =>
        uploadTensor(gpu, Float32Array.from(pairs, of), 1, label, { capacity });
      const margins = column((pair) => pair.margin + margin, "margins");
      const labels = column((pair) => pair.label, "labels");
      return loss.record(gpu, rewards, { margins, labels, centering, ...place }, constants);
    },
    counts: (pairs) => ({
      pairs: pairs.length,
      decided: pairs.filter(({ label }) => label !== 0.5).length,
    }),
    metrics: (pairs, rewards) => pairMetrics(sides(rewards), pairs, centering, objective),
    sides,
  };
}

/** All chosen, then all rejected. */
function bySide({ length: n }: readonly Pair[]): Int32Array {
  return Int32Array.from({ length: 2 * n }, (_, i) => (i < n ? 2 * i : 2 * (i - n) + 1));
}

function sides(rewards: readonly Float32Array[]): PairRewards {
  const side = (reply: number) => Float32Array.from(rewards, (own) => own[reply] ?? Number.NaN);
  return { chosen: side(0), rejected: side(1) };
}
