/** @file Ranked lists: k replies each, in the records' order, and their ranks. */
import { InputError } from "../../errors.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import type { ListExample } from "../example-sets.ts";
import { listMetrics, orderedPairs } from "../list-metrics.ts";
import { gains } from "../losses/gains.ts";
import type { ListLoss } from "../losses/loss.ts";
import { mostTied } from "../losses/plackett-luce.ts";
import type { ExampleForm } from "./form.ts";

export function listForm(loss: ListLoss): ExampleForm<ListExample> {
  return {
    total: (lists) => lists.length,
    order: (lists) => {
      const sequences = lists.reduce((sum, { ranks }) => sum + ranks.length, 0);
      return Int32Array.from({ length: sequences }, (_, i) => i);
    },
    record(gpu, rewards, lists, { capacity, reference: _, ...place }) {
      let end = 0;
      const ends = Int32Array.of(0, ...lists.map(({ ranks }) => (end += ranks.length)));
      const offsets = uploadTensor(gpu, ends, 1, "offsets", { capacity: capacity + 1 });
      const values = Float32Array.from(lists.flatMap(({ ranks }) => gains(ranks)));
      const room = { capacity: rewards.capacity };
      return loss.record(gpu, rewards, {
        gains: uploadTensor(gpu, values, 1, "gains", room),
        offsets,
        ...place,
      });
    },
    counts: (lists) => ({
      pairs: lists.length,
      decided: lists.reduce((sum, { ranks }) => sum + orderedPairs(ranks).length, 0),
    }),
    metrics: (lists, rewards) =>
      listMetrics(
        rewards,
        lists.map(({ ranks }) => ranks),
        loss,
      ),
    sides: () => undefined,
  };
}

/** @throws InputError naming a list with more tied replies than Plackett-Luce's mean over their orders takes */
export function checkTies(loss: ListLoss, lists: readonly ListExample[]): void {
  if (loss.name !== "plackett-luce") return;
  for (const { ranks, record } of lists) {
    const tied = Math.max(...ranks.map((rank) => ranks.filter((other) => other === rank).length));
    if (tied > mostTied)
      throw new InputError(
        `${record.where}: ${tied} replies share a rank; --loss plackett-luce takes at most ${mostTied}. Leave some out, or use --loss lipo`,
      );
  }
}
