/**
 * @file A whole decoder in float64 over one sequence, out of the naive layers: what every model's hidden states,
 * rewards and logits are compared with. Weights are named as in their checkpoint, with or without the prefix.
 */
import type { ModelConfig } from "../../src/model/config.ts";
import { causalAttention } from "./attention.ts";
import { add, embedding, layerNorm, linear, rmsNorm, transpose } from "./layers.ts";
import { geluErf, geluTanh, logSumExp, swiglu, type Vector } from "./pointwise.ts";
import { ropeFrequencies, rotate } from "./rope.ts";

/** Tensors by checkpoint name. */
export type Weights = ReadonlyMap<string, { readonly data: Vector }>;

export interface ForwardResult {
  /** layers + 1 times [T, hidden]: the first layer's input, then each layer's output, the last after the final norm. */
  readonly hiddenStates: Float64Array[];
  /** [T] score head at every position, where the checkpoint has one. */
  readonly rewards?: Float64Array;
  /** [T, vocabulary], for a causal LM. */
  readonly logits?: Float64Array;
}

/**
 * Runs token ids [T] at positions firstPosition, firstPosition + 1... (not 0 only for what a left-padded batch
 * computes). Throws Error for a tensor that is missing.
 */
export function referenceForward(
  config: ModelConfig,
  weights: Weights,
  ids: Vector,
  firstPosition = 0,
): ForwardResult {
  const get = namedWeights(weights, config.family === "gpt2" ? "transformer." : "model.");
  const run = config.family === "gpt2" ? gpt2Layers : llamaLayers;
  const positions = Array.from({ length: ids.length }, (_, t) => firstPosition + t);
  const hiddenStates = run(config, get, ids, positions);
  const last = hiddenStates[hiddenStates.length - 1]!;
  const score = weights.get("score.weight")?.data;
  const head =
    config.architecture !== "causal-lm"
      ? undefined
      : config.tied
        ? get(config.family === "gpt2" ? "wte.weight" : "embed_tokens.weight")
        : get("lm_head.weight");
  return {
    hiddenStates,
    ...(score ? { rewards: linear(last, score, config.hiddenSize) } : {}),
    ...(head ? { logits: linear(last, head, config.hiddenSize) } : {}),
  };
}

/** [T - 1] log p(ids[t + 1] | ids[..t]) out of logits [T, vocabulary]. */
export function tokenLogProbabilities(logits: Float64Array, ids: Vector, vocabulary: number): Float64Array {
  return Float64Array.from({ length: ids.length - 1 }, (_, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    return row[ids[t + 1]!]! - logSumExp(row);
  });
}

/** Where *ForSequenceClassification reads the reward: the rightmost id that is not pad, 0 where all are. */
export function pooledIndex(ids: Vector, padTokenId: number): number {
  for (let t = ids.length - 1; t > 0; t--) if (ids[t] !== padTokenId) return t;
  return 0;
}

type Get = (name: string) => Vector;

function namedWeights(weights: Weights, prefix: string): Get {
  return (name) => {
    const tensor = weights.get(prefix + name) ?? weights.get(name);
    if (!tensor) throw new Error(`no tensor ${name}`);
    return tensor.data;
  };
}

function llamaLayers(config: ModelConfig, get: Get, ids: Vector, positions: Vector): Float64Array[] {
  const { hiddenSize, headDim, heads, kvHeads, normEps, attentionScale: scale, rope } = config;
  if (!rope) throw new Error("a Llama-like model has rotary positions");
  const frequencies = ropeFrequencies(headDim, rope);
  const apply = (x: Vector, name: string, bias: boolean, inputs = hiddenSize) =>
    linear(x, get(`${name}.weight`), inputs, bias ? get(`${name}.bias`) : undefined);

  let x = embedding(get("embed_tokens.weight"), ids, hiddenSize);
  const states = [x];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string) => `layers.${layer}.${name}`;
    const normed = rmsNorm(x, get(at("input_layernorm.weight")), normEps);
    let q = apply(normed, at("self_attn.q_proj"), config.qkvBias);
    let k = apply(normed, at("self_attn.k_proj"), config.qkvBias);
    const v = apply(normed, at("self_attn.v_proj"), config.qkvBias);
    if (config.qkNorm) {
      q = rmsNorm(q, get(at("self_attn.q_norm.weight")), normEps);
      k = rmsNorm(k, get(at("self_attn.k_norm.weight")), normEps);
    }
    q = rotate(q, positions, frequencies);
    k = rotate(k, positions, frequencies);
    const attention = causalAttention(q, k, v, { heads, kvHeads, headDim, scale }).out;
    x = add(x, apply(attention, at("self_attn.o_proj"), config.outBias, heads * headDim));
    const mlpIn = rmsNorm(x, get(at("post_attention_layernorm.weight")), normEps);
    const gate = apply(mlpIn, at("mlp.gate_proj"), config.mlpBias);
    const up = apply(mlpIn, at("mlp.up_proj"), config.mlpBias);
    x = add(x, apply(swiglu(gate, up), at("mlp.down_proj"), config.mlpBias, config.intermediateSize));
    states.push(x);
  }
  states[config.layers] = rmsNorm(x, get("norm.weight"), normEps);
  return states;
}

function gpt2Layers(config: ModelConfig, get: Get, ids: Vector, positions: Vector): Float64Array[] {
  const { hiddenSize, headDim, heads, kvHeads, normEps, attentionScale: scale } = config;
  const gelu = config.activation === "gelu-erf" ? geluErf : geluTanh;
  const norm = (x: Vector, name: string) => layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), normEps);
  const conv1d = (x: Vector, name: string, inputs: number) => {
    const bias = get(`${name}.bias`);
    return linear(x, transpose(get(`${name}.weight`), bias.length), inputs, bias);
  };
  const part = (qkv: Float64Array, which: number) =>
    Float64Array.from({ length: qkv.length / 3 }, (_, i) => {
      const row = Math.floor(i / hiddenSize);
      return qkv[(3 * row + which) * hiddenSize + (i % hiddenSize)]!;
    });

  let x = add(
    embedding(get("wte.weight"), ids, hiddenSize),
    embedding(get("wpe.weight"), positions, hiddenSize),
  );
  const states = [x];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string) => `h.${layer}.${name}`;
    const qkv = conv1d(norm(x, at("ln_1")), at("attn.c_attn"), hiddenSize);
    const shape = { heads, kvHeads, headDim, scale };
    const attention = causalAttention(part(qkv, 0), part(qkv, 1), part(qkv, 2), shape).out;
    x = add(x, conv1d(attention, at("attn.c_proj"), hiddenSize));
    const inner = conv1d(norm(x, at("ln_2")), at("mlp.c_fc"), hiddenSize).map(gelu);
    x = add(x, conv1d(inner, at("mlp.c_proj"), config.intermediateSize));
    states.push(x);
  }
  states[config.layers] = norm(x, "ln_f");
  return states;
}
