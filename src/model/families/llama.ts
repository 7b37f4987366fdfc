/** @file Llama: optional biases on the attention's and the MLP's linears, optional head_dim, llama3 rope. */
import { z } from "zod";
import type { Family } from "./family.ts";
import { notImplemented, readFields } from "./fields.ts";
import { llamaLikeBackbone, parseLlamaLike, ROTARY_BUFFERS } from "./llama-like.ts";

const schema = z.looseObject({
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: z.int().nullish(),
});

export const llama: Family = {
  name: "llama",
  architectures: {
    bare: "LlamaModel",
    "causal-lm": "LlamaForCausalLM",
    "sequence-classification": "LlamaForSequenceClassification",
  },
  freezesPadding: true,
  prefix: "model.",
  parse(raw, file) {
    const json = readFields(schema, raw, file);
    if (json.sliding_window != null) {
      throw notImplemented(file, "sliding_window", json.sliding_window, "full attention is");
    }
    return parseLlamaLike(
      raw,
      file,
      { vocabSize: 32_000, intermediateSize: 11_008, maxPositions: 2048, bosTokenId: 1, eosTokenId: 2 },
      { qkvBias: json.attention_bias, outBias: json.attention_bias, mlpBias: json.mlp_bias, qkNorm: false },
    );
  },
  backbone: llamaLikeBackbone,
  buffers: ROTARY_BUFFERS,
};
