/** @file A decoder's weights on the device, by what they are for. */
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { type DecoderPart, decoderParts, type LinearName, partName } from "./decoder-parts.ts";
import type { WeightLoader } from "./weight-loader.ts";

export interface NormWeights {
  /** [1, H] */
  readonly weight: Tensor;
  /** [1, H]; LayerNorm only. */
  readonly bias: Tensor | undefined;
}

/**
 * A low-rank update (Hu et al. 2021, arXiv 2106.09685) of a run of a linear's outputs:
 * y[:, first .. first + out] += scale * dropout(x) A^T B^T.
 */
export interface LoraPart {
  /** [r, in] f32 */
  readonly a: Tensor;
  /** [out, r] f32 */
  readonly b: Tensor;
  /** First output column that it is added to. */
  readonly first: number;
  /** alpha / r */
  readonly scale: number;
  /** While training, inputs of A are dropped: the probability, and the module's number in the random stream's key. */
  readonly dropout?: { readonly p: number; readonly module: number } | undefined;
}

export interface LinearWeights {
  /** [out, in] */
  readonly weight: Tensor;
  /** [1, out] */
  readonly bias: Tensor | undefined;
  readonly lora?: readonly LoraPart[];
}

export interface LayerWeights {
  readonly attentionNorm: NormWeights;
  /** q, k and v below each other: [(heads + 2 kvHeads) * headDim, H]. */
  readonly qkv: LinearWeights;
  /** [1, headDim]; Qwen3 only. */
  readonly qNorm: Tensor | undefined;
  readonly kNorm: Tensor | undefined;
  readonly out: LinearWeights;
  readonly mlpNorm: NormWeights;
  /** SwiGLU: gate and up below each other, [2 I, H]; else up alone, [I, H]. */
  readonly up: LinearWeights;
  readonly down: LinearWeights;
}

export interface DecoderWeights {
  /** [V, H] */
  readonly embed: Tensor;
  /** [maxPositions, H]; learned positions only. */
  readonly positions: Tensor | undefined;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: NormWeights;
}

/** @param into where a part goes; undefined: to a tensor of its own, as stored */
export async function loadDecoder(
  loader: WeightLoader,
  config: ModelConfig,
  into: (part: DecoderPart) => Tensor | undefined = () => undefined,
): Promise<DecoderWeights> {
  const tensors = new Map<string, Tensor>();
  for (const part of decoderParts(config)) tensors.set(part.name, await loader.part(part, into(part)));
  return assembleDecoder(config, tensors);
}

/** @param tensors by the names of the decoder's parts */
function assembleDecoder(config: ModelConfig, tensors: ReadonlyMap<string, Tensor>): DecoderWeights {
  const get = (name: string): Tensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`The model has no ${name}`);
    return tensor;
  };
  const withBias = (name: string) => ({ weight: get(name), bias: tensors.get(partName.bias(name)) });
  return {
    embed: get(partName.embed),
    positions: tensors.get(partName.positions),
    layers: Array.from({ length: config.layers }, (_, layer) => ({
      attentionNorm: withBias(partName.norm(layer, "attn")),
      qkv: withBias(partName.linear(layer, "qkv")),
      qNorm: tensors.get(partName.norm(layer, "q")),
      kNorm: tensors.get(partName.norm(layer, "k")),
      out: withBias(partName.linear(layer, "out")),
      mlpNorm: withBias(partName.norm(layer, "mlp")),
      up: withBias(partName.linear(layer, "up")),
      down: withBias(partName.linear(layer, "down")),
    })),
    finalNorm: withBias(partName.finalNorm),
  };
}

/** The same weights with low-rank updates beside their linears, in place of those there were. */
export function withLora(
  weights: DecoderWeights,
  parts: (layer: number, linear: LinearName) => readonly LoraPart[],
): DecoderWeights {
  const layers = weights.layers.map((layer, i): LayerWeights => {
    const linear = (name: LinearName): LinearWeights => {
      const { weight, bias } = layer[name];
      const lora = parts(i, name);
      return lora.length === 0 ? { weight, bias } : { weight, bias, lora };
    };
    return { ...layer, qkv: linear("qkv"), out: linear("out"), up: linear("up"), down: linear("down") };
  });
  return { ...weights, layers };
}

/** Every tensor of a layer, its low-rank updates' too. */
export function tensorsOfLayer(l: LayerWeights): Tensor[] {
  const norms = [l.attentionNorm, l.mlpNorm].flatMap(({ weight, bias }) => [weight, bias]);
  const linears = [l.qkv, l.out, l.up, l.down].flatMap(({ weight, bias, lora = [] }) => [
    weight,
    bias,
    ...lora.flatMap(({ a, b }) => [a, b]),
  ]);
  return [...norms, l.qNorm, l.kNorm, ...linears].filter((tensor) => tensor !== undefined);
}

/** Gives the buffers of a decoder back to the pool; those of low-rank updates belong to whoever made them. */
export function releaseDecoder(gpu: Gpu, weights: DecoderWeights): void {
  const release = (...tensors: readonly (Tensor | undefined)[]) => {
    for (const tensor of tensors) if (tensor !== undefined) gpu.release(tensor.buffer);
  };
  for (const l of weights.layers) {
    release(l.attentionNorm.weight, l.attentionNorm.bias, l.mlpNorm.weight, l.mlpNorm.bias, l.qNorm, l.kNorm);
    for (const linear of [l.qkv, l.out, l.up, l.down]) release(linear.weight, linear.bias);
  }
  release(weights.embed, weights.positions, weights.finalNorm.weight, weights.finalNorm.bias);
}
