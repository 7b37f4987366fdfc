/** @file The vocabulary head of a causal LM: logits of the next token. */
import type { Gpu } from "../gpu/gpu.ts";
import { linear } from "../kernels/linear.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Backbone } from "./backbone.ts";
import type { WeightLoader } from "./weight-loader.ts";

/** The head's weight [V, H]: the embedding where the model ties them. `owned` says whether the caller releases it. */
export async function loadLmHead(
  loader: WeightLoader,
  backbone: Backbone,
): Promise<{ weight: Tensor; owned: boolean }> {
  if (backbone.config.tied) return { weight: backbone.weights.embed, owned: false };
  return { weight: await loader.lmHead(), owned: true };
}

/** @param hidden [T, H] after the final norm @returns [T, V] f32 */
export function logits(gpu: Gpu, hidden: Tensor, weight: Tensor): Tensor {
  return linear(gpu, hidden, weight);
}
