/** @file A decoder's weights on the device, by what they are for. */
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import type { Role } from "./families/family.ts";
import type { WeightLoader } from "./weight-loader.ts";

export interface NormWeights {
  /** [1, H] */
  readonly weight: Tensor;
  /** [1, H]; LayerNorm only. */
  readonly bias: Tensor | undefined;
}

export interface LinearWeights {
  /** [out, in] */
  readonly weight: Tensor;
  /** [1, out] */
  readonly bias: Tensor | undefined;
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

export async function loadDecoder(loader: WeightLoader, config: ModelConfig): Promise<DecoderWeights> {
  const vector = async (role: Role, layer?: number): Promise<Tensor> => {
    const tensor = await loader.vector(role, [role], layer);
    if (tensor === undefined) throw new Error(`The model has no tensor ${role} in layer ${layer}`);
    return tensor;
  };
  const norm = async (
    name: "attn_norm" | "mlp_norm" | "final_norm",
    layer?: number,
  ): Promise<NormWeights> => ({
    weight: await vector(`${name}.weight`, layer),
    bias: await loader.vector(`${name}.bias`, [`${name}.bias`], layer),
  });
  type Part = "qkv" | "q" | "k" | "v" | "o" | "gate" | "up" | "down";
  const linear = async (label: string, parts: readonly Part[], layer: number): Promise<LinearWeights> => ({
    weight: await loader.matrix(
      `layer ${layer} ${label}`,
      parts.map((p): Role => `${p}.weight`),
      layer,
    ),
    bias: await loader.vector(
      `layer ${layer} ${label} bias`,
      parts.map((p): Role => `${p}.bias`),
      layer,
    ),
  });

  const layers: LayerWeights[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    layers.push({
      attentionNorm: await norm("attn_norm", layer),
      qkv: await linear("qkv", loader.has("qkv.weight", layer) ? ["qkv"] : ["q", "k", "v"], layer),
      qNorm: await loader.vector("q_norm", ["q_norm.weight"], layer),
      kNorm: await loader.vector("k_norm", ["k_norm.weight"], layer),
      out: await linear("out", ["o"], layer),
      mlpNorm: await norm("mlp_norm", layer),
      up: await linear("up", config.activation === "swiglu" ? ["gate", "up"] : ["up"], layer),
      down: await linear("down", ["down"], layer),
    });
  }
  return {
    embed: await loader.matrix("embed", ["embed"]),
    positions: config.learnedPositions ? await loader.matrix("positions", ["positions"]) : undefined,
    layers,
    finalNorm: await norm("final_norm"),
  };
}

/** Gives the buffers of a decoder back to the pool. */
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
