/**
 * @file What Llama, Qwen2 and Qwen3 have in common: RMSNorm, rotary positions, SwiGLU, grouped-query attention,
 * and the names of their tensors. The families differ in defaults, biases and the norms of q and k.
 */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import type { ModelConfig } from "../config.ts";
import type { BackboneTensor, FamilyFields } from "./family.ts";
import {
  checkHeads,
  epsilon,
  layerCount,
  notImplemented,
  readFields,
  size,
  specialTokens,
  tokenId,
  tokenIds,
} from "./fields.ts";
import { parseRope } from "./rope.ts";

/** What a family's config class in transformers takes for keys that config.json lacks. */
export interface LlamaLikeDefaults {
  readonly vocabSize: number;
  readonly intermediateSize: number;
  readonly maxPositions: number;
  /** undefined: as many as query heads. */
  readonly kvHeads?: number;
  /** undefined: hidden_size / num_attention_heads. */
  readonly headDim?: number;
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
}

/** Which linears carry a bias, and whether q and k are normalised per head. */
export type LlamaLikeShape = Pick<FamilyFields, "qkvBias" | "outBias" | "mlpBias" | "qkNorm">;

const schema = z.looseObject({
  vocab_size: size.optional(),
  hidden_size: size.default(4096),
  intermediate_size: size.optional(),
  num_hidden_layers: layerCount.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullable().optional(),
  head_dim: size.nullable().optional(),
  max_position_embeddings: size.optional(),
  rms_norm_eps: epsilon.default(1e-6),
  hidden_act: z.string().default("silu"),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: tokenId,
  bos_token_id: tokenId,
  eos_token_id: tokenIds,
});

/** Reads the fields that the three families share. Throws InputError. */
export function parseLlamaLike(
  raw: Readonly<Record<string, unknown>>,
  file: string,
  defaults: LlamaLikeDefaults,
  shape: LlamaLikeShape,
): FamilyFields {
  refuseSlidingLayers(raw, file);
  const json = readFields(schema, raw, file);
  if (json.hidden_act !== "silu" && json.hidden_act !== "swish") {
    throw notImplemented(file, "hidden_act", json.hidden_act, "silu is");
  }
  const heads = json.num_attention_heads;
  const kvHeads =
    (json.num_key_value_heads === undefined ? defaults.kvHeads : json.num_key_value_heads) ?? heads;
  const headDim = json.head_dim ?? defaults.headDim ?? json.hidden_size / heads;
  if (!Number.isInteger(headDim)) {
    throw new InputError(
      `${file}: hidden_size (${json.hidden_size}) is no multiple of num_attention_heads (${heads}), and head_dim is absent`,
    );
  }
  checkHeads(heads, kvHeads, headDim, file);
  return {
    vocabSize: json.vocab_size ?? defaults.vocabSize,
    hiddenSize: json.hidden_size,
    layers: json.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: json.intermediate_size ?? defaults.intermediateSize,
    maxPositions: json.max_position_embeddings ?? defaults.maxPositions,
    norm: "rms",
    normEps: json.rms_norm_eps,
    activation: "swiglu",
    rope: parseRope(raw, file),
    learnedPositions: false,
    ...shape,
    tied: json.tie_word_embeddings,
    attentionScale: 1 / Math.sqrt(headDim),
    ...specialTokens({
      pad: json.pad_token_id,
      bos: json.bos_token_id === undefined ? defaults.bosTokenId : json.bos_token_id,
      eos: json.eos_token_id === undefined ? defaults.eosTokenId : json.eos_token_id,
    }),
  };
}

const window = z.looseObject({
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
});

/**
 * Throws InputError where a layer would attend to a window. `sliding_window` alone, which every Qwen config has,
 * does nothing: `use_sliding_window` switches it on.
 */
function refuseSlidingLayers(raw: Readonly<Record<string, unknown>>, file: string): void {
  const json = readFields(window, raw, file);
  if (json.use_sliding_window) throw notImplemented(file, "use_sliding_window", true, "full attention is");
  const other = json.layer_types?.find((type) => type !== "full_attention");
  if (other !== undefined) throw notImplemented(file, "layer_types", other, "full_attention is");
}

/** The tensors of a Llama-like backbone, in the order in which they are computed with. */
export function llamaLikeBackbone(config: ModelConfig): BackboneTensor[] {
  const { hiddenSize, headDim, intermediateSize } = config;
  const q = config.heads * headDim;
  const kv = config.kvHeads * headDim;
  const tensors: BackboneTensor[] = [
    { role: "embed", name: "embed_tokens.weight", shape: [config.vocabSize, hiddenSize] },
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const norm = (role: "attn_norm.weight" | "mlp_norm.weight", name: string) =>
      tensors.push({ role, layer, name: `layers.${layer}.${name}.weight`, shape: [hiddenSize] });
    const linear = (
      role: "q" | "k" | "v" | "o" | "gate" | "up" | "down",
      name: string,
      shape: readonly [number, number],
      bias: boolean,
    ) => {
      tensors.push({ role: `${role}.weight`, layer, name: `layers.${layer}.${name}.weight`, shape });
      if (bias)
        tensors.push({
          role: `${role}.bias`,
          layer,
          name: `layers.${layer}.${name}.bias`,
          shape: [shape[0]],
        });
    };
    norm("attn_norm.weight", "input_layernorm");
    linear("q", "self_attn.q_proj", [q, hiddenSize], config.qkvBias);
    linear("k", "self_attn.k_proj", [kv, hiddenSize], config.qkvBias);
    linear("v", "self_attn.v_proj", [kv, hiddenSize], config.qkvBias);
    if (config.qkNorm) {
      for (const which of ["q_norm", "k_norm"] as const) {
        const name = `layers.${layer}.self_attn.${which}.weight`;
        tensors.push({ role: `${which}.weight`, layer, name, shape: [headDim] });
      }
    }
    linear("o", "self_attn.o_proj", [hiddenSize, q], config.outBias);
    norm("mlp_norm.weight", "post_attention_layernorm");
    linear("gate", "mlp.gate_proj", [intermediateSize, hiddenSize], config.mlpBias);
    linear("up", "mlp.up_proj", [intermediateSize, hiddenSize], config.mlpBias);
    linear("down", "mlp.down_proj", [hiddenSize, intermediateSize], config.mlpBias);
  }
  tensors.push({ role: "final_norm.weight", name: "norm.weight", shape: [hiddenSize] });
  return tensors;
}

/** Rotary frequencies, which old checkpoints stored. */
export const ROTARY_BUFFERS = /(^|\.)rotary_emb\.inv_freq$/;
