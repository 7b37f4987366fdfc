/** @file From an opened model folder to a backbone on the device. */
import type { Gpu } from "../gpu/gpu.ts";
import { type AttachedAdapter, attachAdapter } from "./adapter/attach.ts";
import type { Adapter } from "./adapter/open-adapter.ts";
import { Backbone } from "./backbone.ts";
import type { ModelFolder } from "./model-folder.ts";
import { WeightLoader } from "./weight-loader.ts";
import { loadDecoder } from "./weights.ts";

export interface LoadedBackbone {
  readonly backbone: Backbone;
  /** Names of the checkpoint's tensors that nothing asked for. */
  readonly unused: readonly string[];
  /** Where one was asked for; released before the backbone. */
  readonly adapter: AttachedAdapter | undefined;
}

/**
 * Streams the weights of the decoder to the device; heads are not loaded.
 * @param adapter whose updates every forward pass adds
 * @throws InputError naming missing tensors; OutOfMemoryError naming the tensor that did not fit
 */
export async function loadBackbone(
  gpu: Gpu,
  { checkpoint, config }: ModelFolder,
  adapter?: Adapter,
): Promise<LoadedBackbone> {
  const loader = new WeightLoader(gpu, checkpoint, config);
  const weights = await loadDecoder(loader, config).catch((error: unknown) => {
    loader.abandon();
    throw error;
  });
  const backbone = new Backbone(gpu, config, weights);
  try {
    return { backbone, unused: loader.unused, adapter: adapter && attachAdapter(gpu, backbone, adapter) };
  } catch (error) {
    backbone.release();
    throw error;
  }
}
