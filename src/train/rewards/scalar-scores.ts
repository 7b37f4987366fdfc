/** @file The scalar rewards of a saved model, computed as `rmtrain score` computes them. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { WarmUpProgress } from "../../gpu/warm-up.ts";
import { openAdapter } from "../../model/adapter/open-adapter.ts";
import { loadBackbone } from "../../model/load.ts";
import { openModelFolder } from "../../model/model-folder.ts";
import { readHead, uploadHead } from "../../model/reward-head.ts";
import type { TrainOptions } from "../options.ts";
import { rewardsOfItems } from "./batch-rewards.ts";
import type { RewardItem, SavedModel } from "./model-reward.ts";
import { scalarReward } from "./scalar-reward.ts";

/** Loads what was saved, its head included, and gives the device back. */
export async function scoreScalar(
  gpu: Gpu,
  saved: SavedModel,
  items: readonly RewardItem[],
  { batchTokens }: TrainOptions,
  onCompiled?: WarmUpProgress,
): Promise<Float32Array[]> {
  await using folder = await openModelFolder(saved.dir);
  const { config } = folder;
  const adapter = saved.adapter === undefined ? undefined : await openAdapter(saved.adapter, folder);
  const own = adapter === undefined ? await readHead(folder) : adapter.head;
  if (own === undefined) throw new Error(`${saved.adapter ?? saved.dir} was saved without a head`);
  const { backbone, adapter: attached } = await loadBackbone(gpu, folder, adapter);
  const head = uploadHead(gpu, own, config);
  try {
    using reward = scalarReward(adapter?.recipe ?? folder.recipe, config.padTokenId);
    return await rewardsOfItems({ gpu, backbone, head }, reward, items, { batchTokens, onCompiled });
  } finally {
    gpu.release(head.buffer);
    attached?.release();
    backbone.release();
  }
}
