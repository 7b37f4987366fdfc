/** @file Shapes of models in common use, for a table that holds for more than one model. */
import { parseConfig } from "../config.ts";
import type { TunedModel } from "./targets.ts";

const sizes = (hidden: number, heads: number, kvHeads: number, intermediate: number, headDim?: number) => ({
  hidden_size: hidden,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  intermediate_size: intermediate,
  ...(headDim === undefined ? {} : { head_dim: headDim }),
  num_hidden_layers: 1,
  max_position_embeddings: 64,
  vocab_size: 64,
  rms_norm_eps: 1e-5,
});

const small = [
  // This package's own base model, and a small story model.
  { model_type: "llama", ...sizes(128, 4, 4, 344) },
  { model_type: "llama", ...sizes(288, 6, 6, 768) },
  // GPT-2 and Qwen3 0.6B.
  { model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 1, n_positions: 64, vocab_size: 64 },
  { model_type: "qwen3", ...sizes(1024, 16, 8, 3072, 128) },
];
/** Llama 3.2 1B; a CPU would take many minutes for it. */
const large = [{ model_type: "llama", ...sizes(2048, 32, 8, 8192) }];

export function usualModels(software: boolean): readonly TunedModel[] {
  return [...small, ...(software ? [] : large)].map((raw) => ({
    config: parseConfig(raw, `a usual ${raw.model_type}`),
    dtypes: ["f32", "bf16"],
  }));
}
