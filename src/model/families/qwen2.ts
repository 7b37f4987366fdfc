/** @file Qwen2 and Qwen2.5: Llama with a bias on q, k and v, always, and on nothing else. */
import type { Family } from "./family.ts";
import { llamaLikeBackbone, parseLlamaLike, ROTARY_BUFFERS } from "./llama-like.ts";

export const qwen2: Family = {
  name: "qwen2",
  architectures: {
    bare: "Qwen2Model",
    "causal-lm": "Qwen2ForCausalLM",
    "sequence-classification": "Qwen2ForSequenceClassification",
  },
  freezesPadding: true,
  prefix: "model.",
  parse(raw, file) {
    return parseLlamaLike(
      raw,
      file,
      { vocabSize: 151_936, intermediateSize: 22_016, maxPositions: 32_768, kvHeads: 32 },
      { qkvBias: true, outBias: false, mlpBias: false, qkNorm: false },
    );
  },
  backbone: llamaLikeBackbone,
  buffers: ROTARY_BUFFERS,
};
