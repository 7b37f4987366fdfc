/** @file The scalar reward head: r = w . h, one row of weights over the hidden state. Always f32. */
import type { Gpu } from "../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { ModelFolder } from "./model-folder.ts";
import { toFloat32 } from "./safetensors/index.ts";

/** Name of the head's weight in every *ForSequenceClassification checkpoint. */
export const headName = "score.weight";

/** The checkpoint's own head [H], widened to f32; undefined where it has none. */
export async function readHead({
  checkpoint,
  config,
}: ModelFolder): Promise<Float32Array<ArrayBuffer> | undefined> {
  const info =
    config.architecture === "sequence-classification" ? checkpoint.tensors.get(headName) : undefined;
  return info === undefined ? undefined : toFloat32(await checkpoint.read(info), info.dtype);
}

/** @returns [1, H] f32, owned by the caller */
export function uploadHead(gpu: Gpu, head: Float32Array, config: ModelConfig): Tensor {
  if (head.length !== config.hiddenSize)
    throw new Error(`The head has ${head.length} weights, the model ${config.hiddenSize} hidden units`);
  return uploadTensor(gpu, head, config.hiddenSize, headName, { persistent: true });
}
