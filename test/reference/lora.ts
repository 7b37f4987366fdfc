/** @file LoRA in float64, from its definition: W' = W + scale * B A, for every module that an adapter file names. */
import type { Weights } from "./forward.ts";
import { transpose } from "./layers.ts";
import type { Tensors64 } from "./safetensors.ts";

export interface AdaptedOptions {
  /** alpha / r of a module ("model.layers.0.mlp.up_proj"), as the reader of the adapter's config works it out. */
  readonly scale: (module: string) => number;
  /** Weights stored [in, out]. */
  readonly conv1d?: boolean;
}

/** The weights of the model with the adapter folded in, and with its head. A and B by PEFT's names. */
export function adaptedWeights(base: Weights, adapter: Tensors64, options: AdaptedOptions): Weights {
  const weights = new Map(base);
  for (const [name, a] of adapter) {
    if (name === "base_model.model.score.weight") weights.set("score.weight", a);
    const module = /^base_model\.model\.(.*)\.lora_A\.weight$/.exec(name)?.[1];
    if (module === undefined) continue;
    const b = adapter.get(name.replace("lora_A", "lora_B"));
    const weight = base.get(`${module}.weight`);
    if (b === undefined || weight === undefined) throw new Error(`no B or no weight for ${name}`);
    const [r = 0, inputs = 0] = a.shape;
    const [outputs = 0] = b.shape;
    const update = new Float64Array(outputs * inputs);
    for (let n = 0; n < outputs; n++)
      for (let k = 0; k < inputs; k++)
        for (let j = 0; j < r; j++) update[n * inputs + k]! += b.data[n * r + j]! * a.data[j * inputs + k]!;
    const asStored = options.conv1d ? transpose(update, inputs) : update;
    const scale = options.scale(module);
    weights.set(`${module}.weight`, { data: asStored.map((u, i) => weight.data[i]! + scale * u) });
  }
  return weights;
}
