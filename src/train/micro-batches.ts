/**
 * @file A step's examples as the micro-batches that the device computes one after another: so many as a token budget
 * allows, prompts shared. A function of the examples and the budget alone. An example larger than the budget is a
 * micro-batch of its own.
 */
import type { RowSequence } from "../data/mismatch.ts";
import { pack, planBatches } from "../data/pack.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import type { RewardItem, RewardSequence } from "./rewards/model-reward.ts";

export interface MicroBatch {
  /** Which of the items that were given, in the batch's order. */
  readonly examples: readonly number[];
  readonly batch: PackedBatch;
  /** [N] in the batch's order: of the first item, then of the second... */
  readonly sequences: readonly RewardSequence[];
}

/** @param tokens computed at once, at most; shared prompts count once */
export function microBatchesOf(items: readonly RewardItem[], tokens: number): MicroBatch[] {
  return planBatches(items, tokens).map((indices) => microBatchOf(items, indices));
}

/** One of these items. */
export function microBatchOf(items: readonly RewardItem[], indices: readonly number[]): MicroBatch {
  const chosen = indices.map((i) => items[i]!);
  return { examples: indices, batch: pack(chosen), sequences: chosen.flatMap(sequencesOf) };
}

export function sequencesOf({ sequences, replyStarts }: RewardItem): RewardSequence[] {
  return sequences.map((ids, n) => ({ ids, replyStart: replyStarts[n] ?? 0 }));
}

/** An example's sequences as they are packed, with where their replies begin. */
export function rewardItem(example: RowSequence): RewardItem {
  const { sequences, group } = example.item;
  return { sequences, replyStarts: example.replyStarts, ...(group === undefined ? {} : { group }) };
}
