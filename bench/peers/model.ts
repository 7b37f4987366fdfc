/** @file Llama models with weights that are the same on every machine, as Hugging Face checkpoints hold them. */
import { type HostTensor, noise, type Tensors } from "./tensors.ts";

export interface LlamaConfig {
  readonly model_type: "llama";
  readonly architectures: readonly string[];
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly num_labels: number;
  readonly pad_token_id: number | null;
}

/** Names as in cases.ts: hidden, heads, intermediate, layers, vocabulary. */
export function modelConfig(sizes: Readonly<Record<string, number>>): LlamaConfig {
  const { hidden = 0, heads = 1, intermediate = 0, layers = 1, vocabulary = 0, positions = 1024 } = sizes;
  return {
    model_type: "llama",
    architectures: ["LlamaForSequenceClassification"],
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    max_position_embeddings: positions,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    num_labels: 1,
    pad_token_id: null,
  };
}

/** Uniform weights of about unit gain, norms around 1, and the head. */
export function modelTensors(config: LlamaConfig): Tensors {
  const { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers } = config;
  const tensors = new Map<string, HostTensor>();
  let seed = 100;
  const matrix = (name: string, outputs: number, inputs: number, size = 1.7 * inputs ** -0.5) =>
    tensors.set(name, noise(seed++, [outputs, inputs], size));
  const norm = (name: string) => {
    const { shape, values } = noise(seed++, [hidden], 0.2);
    tensors.set(name, { shape, values: values.map((v) => 1 + v) });
  };
  matrix("model.embed_tokens.weight", config.vocab_size, hidden, 1);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    norm(`${at}.input_layernorm.weight`);
    for (const which of ["q", "k", "v", "o"]) matrix(`${at}.self_attn.${which}_proj.weight`, hidden, hidden);
    norm(`${at}.post_attention_layernorm.weight`);
    for (const which of ["gate", "up"]) matrix(`${at}.mlp.${which}_proj.weight`, inner, hidden);
    matrix(`${at}.mlp.down_proj.weight`, hidden, inner);
  }
  norm("model.norm.weight");
  matrix("score.weight", 1, hidden);
  return tensors;
}

/** cos and sin of the rotary embedding, [positions, headDim / 2] each (Su et al. 2021; halves as Llama pairs them). */
export function rotaryTables(config: LlamaConfig, positions: number): { cos: HostTensor; sin: HostTensor } {
  const half = config.hidden_size / config.num_attention_heads / 2;
  const angle = (_: unknown, i: number) => Math.floor(i / half) * config.rope_theta ** (-(i % half) / half);
  const angles = Array.from({ length: positions * half }, angle);
  const table = (f: (x: number) => number) => ({
    shape: [positions, half],
    values: Float32Array.from(angles, f),
  });
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
