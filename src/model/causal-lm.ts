/** @file A causal LM on the device: the decoder and its vocabulary head, as stored, and an adapter's updates beside them. */
import type { Gpu } from "../gpu/gpu.ts";
import type { Adapter } from "./adapter/open-adapter.ts";
import type { Backbone } from "./backbone.ts";
import { loadLmHead } from "./lm-head.ts";
import { loadBackbone } from "./load.ts";
import type { ModelFolder } from "./model-folder.ts";
import { WeightLoader } from "./weight-loader.ts";
import type { LinearWeights } from "./weights.ts";

export interface CausalLm extends Disposable {
  readonly backbone: Backbone;
  /** [V, H], the embedding itself where the model ties them; with an adapter's update of it. */
  readonly lmHead: LinearWeights;
  /** Names of the checkpoint's tensors that nothing asked for. */
  readonly unused: readonly string[];
}

/** @throws InputError naming missing tensors: a reward model, for one, has no vocabulary head */
export async function loadCausalLm(gpu: Gpu, folder: ModelFolder, adapter?: Adapter): Promise<CausalLm> {
  const { backbone, unused, adapter: attached } = await loadBackbone(gpu, folder, adapter);
  const release = () => {
    attached?.release();
    backbone.release();
  };
  try {
    const loader = new WeightLoader(gpu, folder.checkpoint, folder.config);
    const { weight, owned } = await loadLmHead(loader, backbone);
    return {
      backbone,
      lmHead: { weight, bias: undefined, ...(attached?.lmHead && { lora: [attached.lmHead] }) },
      unused,
      [Symbol.dispose]() {
        if (owned) gpu.release(weight.buffer);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
