/** @file An adapter beside a loaded model's weights, on the device. */
import type { Gpu } from "../../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import type { Backbone } from "../backbone.ts";
import type { LoraPart } from "../weights.ts";
import type { Adapter, AdapterPart } from "./open-adapter.ts";

export interface AttachedAdapter extends Disposable {
  /** The update of the vocabulary head, which is no part of the backbone; undefined where there is none. */
  readonly lmHead: LoraPart | undefined;
  /** Takes the updates off the backbone and gives their buffers back to the pool. */
  release(): void;
}

/** From now on every forward pass of the backbone adds the adapter's updates, unless it asks for none. */
export function attachAdapter(
  gpu: Gpu,
  backbone: Backbone,
  { parts }: Pick<Adapter, "parts">,
): AttachedAdapter {
  const tensors: Tensor[] = [];
  const freeAll = () => {
    for (const { buffer } of tensors.splice(0)) gpu.release(buffer);
  };
  const upload = (values: Float32Array, cols: number, label: string): Tensor => {
    const tensor = uploadTensor(gpu, values, cols, label, { persistent: true });
    tensors.push(tensor);
    return tensor;
  };
  const partOnDevice = ({ a, b, module, scale, values }: AdapterPart): LoraPart => ({
    a: upload(values.a, a.cols, a.name),
    b: upload(values.b, b.cols, b.name),
    first: module.first,
    scale,
  });
  try {
    const placed = parts.map((part) => ({ module: part.module, lora: partOnDevice(part) }));
    backbone.adapt((layer, linear) =>
      placed.filter(({ module: m }) => m.layer === layer && m.linear === linear).map(({ lora }) => lora),
    );
    const release = () => {
      backbone.adapt(() => []);
      freeAll();
    };
    const lmHead = placed.find(({ module }) => module.linear === "lm_head")?.lora;
    return { lmHead, release, [Symbol.dispose]: release };
  } catch (error) {
    freeAll();
    throw error;
  }
}
