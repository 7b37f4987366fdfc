/** @file From an opened model folder to a backbone on the device. */
import type { Gpu } from "../gpu/gpu.ts";
import { Backbone } from "./backbone.ts";
import type { ModelFolder } from "./model-folder.ts";
import { WeightLoader } from "./weight-loader.ts";
import { loadDecoder } from "./weights.ts";

export interface LoadedBackbone {
  readonly backbone: Backbone;
  /** Names of the checkpoint's tensors that nothing asked for. */
  readonly unused: readonly string[];
}

/**
 * Streams the weights of the decoder to the device; heads are not loaded.
 * @throws InputError naming missing tensors; OutOfMemoryError naming the tensor that did not fit
 */
export async function loadBackbone(gpu: Gpu, { checkpoint, config }: ModelFolder): Promise<LoadedBackbone> {
  const loader = new WeightLoader(gpu, checkpoint, config);
  try {
    const weights = await loadDecoder(loader, config);
    return { backbone: new Backbone(gpu, config, weights), unused: loader.unused };
  } catch (error) {
    loader.abandon();
    throw error;
  }
}
