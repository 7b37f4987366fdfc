/** @file A small Llama with random weights, as the `transformers` library names and shapes it. */

import { seededRandom } from "./random.ts";

/** The sizes of a Llama with tied embeddings and as many key/value heads as query heads. */
export interface LlamaShape {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly positions: number;
}

/** How the weights are drawn. */
export interface Initialisation {
  /** Standard deviation of every matrix. Norm weights are one. */
  readonly std: number;
  /**
   * Divides the deviation of the two matrices that write into the residual stream (o_proj, down_proj) by
   * sqrt(2 x layers), as GPT-2 does, so that the stream's scale does not grow with depth.
   */
  readonly scaleResiduals: boolean;
  readonly seed: number;
}

/** A tensor in memory: a name of `LlamaForCausalLM`, shape [out, in] or [width]. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** All tensors of a random Llama, in the order of the forward pass. There is no lm_head: it is the embedding. */
export function randomLlama(shape: LlamaShape, { std, scaleResiduals, seed }: Initialisation): NamedTensor[] {
  const random = seededRandom(seed);
  const { vocabulary, width, layers, mlpWidth } = shape;
  const residualStd = scaleResiduals ? std / Math.sqrt(2 * layers) : std;
  const matrix = (name: string, rows: number, columns: number, deviation = std): NamedTensor => ({
    name: `${name}.weight`,
    shape: [rows, columns],
    values: Float32Array.from({ length: rows * columns }, () => deviation * random.normal()),
  });
  const ones = (name: string): NamedTensor => ({
    name: `${name}.weight`,
    shape: [width],
    values: new Float32Array(width).fill(1),
  });

  const tensors = [matrix("model.embed_tokens", vocabulary, width)];
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    tensors.push(
      ones(`${at}.input_layernorm`),
      matrix(`${at}.self_attn.q_proj`, width, width),
      matrix(`${at}.self_attn.k_proj`, width, width),
      matrix(`${at}.self_attn.v_proj`, width, width),
      matrix(`${at}.self_attn.o_proj`, width, width, residualStd),
      ones(`${at}.post_attention_layernorm`),
      matrix(`${at}.mlp.gate_proj`, mlpWidth, width),
      matrix(`${at}.mlp.up_proj`, mlpWidth, width),
      matrix(`${at}.mlp.down_proj`, width, mlpWidth, residualStd),
    );
  }
  tensors.push(ones("model.norm"));
  return tensors;
}

/** config.json of such a model. `eos` also begins a text; `pad` is never the last token of one. */
export function llamaConfig(shape: LlamaShape, std: number, tokens: { eos: number; pad: number }): object {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: shape.vocabulary,
    hidden_size: shape.width,
    intermediate_size: shape.mlpWidth,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.heads,
    max_position_embeddings: shape.positions,
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    initializer_range: std,
    tie_word_embeddings: true,
    use_cache: true,
    bos_token_id: tokens.eos,
    eos_token_id: tokens.eos,
    pad_token_id: tokens.pad,
    torch_dtype: "float32",
  };
}
