/** @file The vocabulary head of a causal LM: logits of the next token. */
import type { Gpu } from "../gpu/gpu.ts";
import { linear } from "../kernels/linear.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Backbone } from "./backbone.ts";
import { type DecoderPart, lmHeadPart } from "./decoder-parts.ts";
import type { WeightLoader } from "./weight-loader.ts";

/**
 * The head's weight [V, H]: the embedding where the model ties them. `owned` says whether the caller releases it.
 * @param into where an untied one goes, the caller's; default: to a tensor of its own, as stored
 */
export async function loadLmHead(
  loader: WeightLoader,
  backbone: Backbone,
  into?: (part: DecoderPart) => Tensor,
): Promise<{ weight: Tensor; owned: boolean }> {
  if (backbone.config.tied) return { weight: backbone.weights.embed, owned: false };
  const part = lmHeadPart(backbone.config);
  return { weight: await loader.part(part, into?.(part)), owned: into === undefined };
}

/** @param hidden [T, H] after the final norm @returns [T, V] f32 */
export function logits(gpu: Gpu, hidden: Tensor, weight: Tensor): Tensor {
  return linear(gpu, hidden, weight);
}
