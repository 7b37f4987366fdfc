/**
 * @file Qwen3: Llama with an RMSNorm over each head of q and k before the rotation, and a head_dim of its own
 * (128 where config.json is silent, whatever hidden_size / num_attention_heads may be).
 */
import { z } from "zod";
import type { Family } from "./family.ts";
import { readFields } from "./fields.ts";
import { llamaLikeBackbone, parseLlamaLike, ROTARY_BUFFERS } from "./llama-like.ts";

const schema = z.looseObject({ attention_bias: z.boolean().default(false) });

export const qwen3: Family = {
  name: "qwen3",
  architectures: {
    bare: "Qwen3Model",
    "causal-lm": "Qwen3ForCausalLM",
    "sequence-classification": "Qwen3ForSequenceClassification",
  },
  freezesPadding: true,
  prefix: "model.",
  parse(raw, file) {
    const bias = readFields(schema, raw, file).attention_bias;
    return parseLlamaLike(
      raw,
      file,
      { vocabSize: 151_936, intermediateSize: 22_016, maxPositions: 32_768, kvHeads: 32, headDim: 128 },
      { qkvBias: bias, outBias: bias, mlpBias: false, qkNorm: true },
    );
  },
  backbone: llamaLikeBackbone,
  buffers: ROTARY_BUFFERS,
};
