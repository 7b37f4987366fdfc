/** @file Rewards of many items under a model, in packed batches and without a tape: evaluations, and saved models. */
import type { KernelVariant } from "../../gpu/kernel-source.ts";
import { readTensor, type Tensor } from "../../tensor/tensor.ts";
import { sequencesOf } from "../micro-batches.ts";
import { type BatchWork, pipelinesOfFirstBatch, type RunOptions, runBatches } from "../run-batches.ts";
import type { ModelReward, RewardItem, RewardingModel } from "./model-reward.ts";

/** Rewards `[item][sequence]`. */
export async function rewardsOfItems(
  model: RewardingModel,
  reward: ModelReward,
  items: readonly RewardItem[],
  options: RunOptions,
): Promise<Float32Array[]> {
  const rewards = items.map(({ sequences }) => new Float32Array(sequences.length));
  await runBatches(model.backbone, items, options, workOf(model, reward, items, rewards));
  return rewards;
}

/** The pipelines that the first of those batches needs. */
export function rewardPipelines(
  model: RewardingModel,
  reward: ModelReward,
  items: readonly RewardItem[],
  options: RunOptions,
): readonly KernelVariant[] {
  return pipelinesOfFirstBatch(model.backbone, items, options, workOf(model, reward, items, []));
}

/** @param into takes the rewards */
function workOf(
  model: RewardingModel,
  reward: ModelReward,
  items: readonly RewardItem[],
  into: readonly Float32Array[],
): BatchWork<Tensor> {
  return {
    name: "rewards",
    record({ batch, items: own }, hidden) {
      const sequences = own.flatMap((i) => sequencesOf(items[i]!));
      const order = Int32Array.from(sequences, (_, n) => n);
      const { capacity } = hidden;
      const input = { batch, sequences, order, hidden, capacity, rewardCapacity: sequences.length };
      return reward.forward(model, undefined, input);
    },
    async take(found, { items: own }) {
      const values = await readTensor(model.gpu, found);
      let n = 0;
      for (const i of own) {
        const mine = into[i]!;
        mine.set(values.subarray(n, n + mine.length));
        n += mine.length;
      }
    },
  };
}
