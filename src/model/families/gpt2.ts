/**
 * @file GPT-2: LayerNorm with biases, learned positions, GELU, q/k/v in one matrix, and every linear of the
 * layers stored [in, out] (OpenAI's Conv1D). The oldest checkpoints lack the prefix and hold mask buffers.
 */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import type { ModelConfig } from "../config.ts";
import type { BackboneTensor, Family } from "./family.ts";
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

const ACTIVATIONS: Readonly<Record<string, "gelu-tanh" | "gelu-erf">> = {
  gelu_new: "gelu-tanh",
  gelu_fast: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  gelu: "gelu-erf",
  gelu_python: "gelu-erf",
};

/** The general names that transformers takes for GPT-2's own. */
const ALIASES = {
  hidden_size: "n_embd",
  max_position_embeddings: "n_positions",
  num_attention_heads: "n_head",
  num_hidden_layers: "n_layer",
} as const;

const schema = z.looseObject({
  vocab_size: size.default(50_257),
  n_positions: size.default(1024),
  n_embd: size.default(768),
  n_layer: layerCount.default(12),
  n_head: size.default(12),
  n_inner: size.nullish(),
  activation_function: z.string().default("gelu_new"),
  layer_norm_epsilon: epsilon.default(1e-5),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: tokenId,
  bos_token_id: tokenId.default(50_256),
  eos_token_id: tokenIds.default(50_256),
});

function withOwnNames(raw: Readonly<Record<string, unknown>>, file: string): Record<string, unknown> {
  const renamed: Record<string, unknown> = { ...raw };
  for (const [general, own] of Object.entries(ALIASES)) {
    const value = raw[general];
    if (value === undefined) continue;
    if (raw[own] !== undefined && raw[own] !== value) {
      throw new InputError(`${file}: ${own} (${raw[own]}) and ${general} (${value}) contradict each other`);
    }
    renamed[own] = value;
  }
  return renamed;
}

function backbone(config: ModelConfig): BackboneTensor[] {
  const { hiddenSize, intermediateSize } = config;
  const tensors: BackboneTensor[] = [
    { role: "embed", name: "wte.weight", shape: [config.vocabSize, hiddenSize] },
    { role: "positions", name: "wpe.weight", shape: [config.maxPositions, hiddenSize] },
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const norm = (role: "attn_norm" | "mlp_norm", name: string) => {
      for (const part of ["weight", "bias"] as const) {
        tensors.push({
          role: `${role}.${part}`,
          layer,
          name: `h.${layer}.${name}.${part}`,
          shape: [hiddenSize],
        });
      }
    };
    const conv1d = (role: "qkv" | "o" | "up" | "down", name: string, inputs: number, outputs: number) => {
      const path = `h.${layer}.${name}`;
      const shape = [inputs, outputs];
      tensors.push({ role: `${role}.weight`, layer, name: `${path}.weight`, shape, transposed: true });
      tensors.push({ role: `${role}.bias`, layer, name: `${path}.bias`, shape: [outputs] });
    };
    norm("attn_norm", "ln_1");
    conv1d("qkv", "attn.c_attn", hiddenSize, 3 * hiddenSize);
    conv1d("o", "attn.c_proj", hiddenSize, hiddenSize);
    norm("mlp_norm", "ln_2");
    conv1d("up", "mlp.c_fc", hiddenSize, intermediateSize);
    conv1d("down", "mlp.c_proj", intermediateSize, hiddenSize);
  }
  tensors.push({ role: "final_norm.weight", name: "ln_f.weight", shape: [hiddenSize] });
  tensors.push({ role: "final_norm.bias", name: "ln_f.bias", shape: [hiddenSize] });
  return tensors;
}

export const gpt2: Family = {
  name: "gpt2",
  architectures: {
    bare: "GPT2Model",
    "causal-lm": "GPT2LMHeadModel",
    "sequence-classification": "GPT2ForSequenceClassification",
  },
  freezesPadding: false,
  prefix: "transformer.",
  parse(raw, file) {
    const json = readFields(schema, withOwnNames(raw, file), file);
    if (json.scale_attn_by_inverse_layer_idx) {
      throw notImplemented(file, "scale_attn_by_inverse_layer_idx", true, "one scale for all layers is");
    }
    const activation = Object.hasOwn(ACTIVATIONS, json.activation_function)
      ? ACTIVATIONS[json.activation_function]
      : undefined;
    if (activation === undefined) {
      throw notImplemented(file, "activation_function", json.activation_function, "gelu and gelu_new are");
    }
    const headDim = json.n_embd / json.n_head;
    if (!Number.isInteger(headDim)) {
      throw new InputError(`${file}: n_embd (${json.n_embd}) is no multiple of n_head (${json.n_head})`);
    }
    checkHeads(json.n_head, json.n_head, headDim, file);
    return {
      vocabSize: json.vocab_size,
      hiddenSize: json.n_embd,
      layers: json.n_layer,
      heads: json.n_head,
      kvHeads: json.n_head,
      headDim,
      intermediateSize: json.n_inner ?? 4 * json.n_embd,
      maxPositions: json.n_positions,
      norm: "layer",
      normEps: json.layer_norm_epsilon,
      activation,
      learnedPositions: true,
      qkvBias: true,
      outBias: true,
      mlpBias: true,
      qkNorm: false,
      tied: json.tie_word_embeddings,
      attentionScale: json.scale_attn_weights ? 1 / Math.sqrt(headDim) : 1,
      ...specialTokens({ pad: json.pad_token_id, bos: json.bos_token_id, eos: json.eos_token_id }),
    };
  },
  backbone,
  buffers: /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/,
};
