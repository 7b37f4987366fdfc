/** @file Rewards of many items under a model, in packed batches and without a tape: evaluations, and saved models. */
import { readTensor } from "../../tensor/tensor.ts";
import { sequencesOf } from "../micro-batches.ts";
import { type RunOptions, runBatches } from "../run-batches.ts";
import type { ModelReward, RewardItem, RewardingModel } from "./model-reward.ts";

/**
 * Rewards `[item][sequence]`.
 * @param batchTokens computed at once, at most
 */
export async function rewardsOfItems(
  model: RewardingModel,
  reward: ModelReward,
  items: readonly RewardItem[],
  batchTokens: number,
  onProgress?: RunOptions["onProgress"],
): Promise<Float32Array[]> {
  const rewards = items.map(({ sequences }) => new Float32Array(sequences.length));
  await runBatches(model.backbone, items, { batchTokens, onProgress }, ({ batch, items: own, hidden }) => {
    const sequences = own.flatMap((i) => sequencesOf(items[i]!));
    const found = reward.forward(model, undefined, {
      batch,
      sequences,
      order: Int32Array.from(sequences, (_, n) => n),
      hidden,
      capacity: hidden.capacity,
      rewardCapacity: sequences.length,
    });
    return readTensor(model.gpu, found).then((values) => {
      let n = 0;
      for (const i of own) {
        const mine = rewards[i]!;
        mine.set(values.subarray(n, n + mine.length));
        n += mine.length;
      }
    });
  });
  return rewards;
}
