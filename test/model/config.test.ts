/** @file parseConfig: what is read, what is defaulted, and above all what is refused, by name. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { parseConfig } from "../../src/model/config.ts";
import { goldenJson } from "../reference/goldens.ts";

const json = (name: Parameters<typeof goldenJson>[0], file = "model/config.json") =>
  goldenJson<Record<string, unknown>>(name, file);

const LLAMA = json("llama");
const QWEN2 = json("qwen2");
const GPT2 = json("gpt2");

describe("reads", () => {
  it("Llama with grouped-query attention", () => {
    const { raw, ...config } = parseConfig(LLAMA, "config.json");
    expect(raw).toEqual(LLAMA);
    expect(config).toEqual({
      family: "llama",
      architecture: "sequence-classification",
      vocabSize: 112,
      hiddenSize: 32,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 8,
      intermediateSize: 56,
      maxPositions: 128,
      norm: "rms",
      normEps: 1e-5,
      activation: "swiglu",
      rope: { theta: 10_000 },
      learnedPositions: false,
      qkvBias: false,
      outBias: false,
      mlpBias: false,
      qkNorm: false,
      tied: false,
      attentionScale: 1 / Math.sqrt(8),
      padTokenId: 0,
      bosTokenId: 1,
      eosTokenId: [2],
      dtype: "float32",
    });
  });

  it("GPT-2, tied where config.json is silent, with the inner size of n_inner: null", () => {
    const config = parseConfig(GPT2, "config.json");
    expect(config).toMatchObject({
      family: "gpt2",
      tied: true,
      intermediateSize: 128,
      activation: "gelu-tanh",
      norm: "layer",
      normEps: 1e-3,
      maxPositions: 64,
      learnedPositions: true,
      dtype: "float16",
    });
    expect(config.rope).toBeUndefined();
  });

  it.each(["gpt2", "qwen2"] as const)("%s the same from transformers 4 and 5", (name) => {
    const { raw: old, ...four } = parseConfig(json(name), "config.json");
    const { raw: recent, ...five } = parseConfig(json(name, "model/config.v5.json"), "config.v5.json");
    expect(five).toEqual(four);
    expect(old).not.toEqual(recent);
  });

  it.each([
    ["llama-lm-tied", "causal-lm", true],
    ["qwen2-lm", "causal-lm", false],
    ["gpt2-lm", "causal-lm", true],
  ] as const)("%s", (name, architecture, tied) => {
    expect(parseConfig(json(name), "config.json")).toMatchObject({ architecture, tied });
  });

  it("the real models, one of them with a bos id outside of its vocabulary", () => {
    expect(parseConfig(json("models/stories260k", "config.json"), "c")).toMatchObject({
      kvHeads: 4,
      tied: true,
    });
    const capp = parseConfig(json("models/capp-gpt2", "config.json"), "c");
    expect(capp).toMatchObject({ bosTokenId: 50_256, vocabSize: 53 });
  });

  it("defaults of absent keys as transformers has them", () => {
    expect(parseConfig({ model_type: "qwen3" }, "c")).toMatchObject({
      architecture: "bare",
      headDim: 128,
      kvHeads: 32,
      normEps: 1e-6,
      rope: { theta: 10_000 },
      qkNorm: true,
      qkvBias: false,
      maxPositions: 32_768,
      tied: false,
    });
    expect(parseConfig({ model_type: "llama" }, "c")).toMatchObject({
      headDim: 128,
      kvHeads: 32,
      eosTokenId: [2],
      bosTokenId: 1,
      vocabSize: 32_000,
    });
    expect(parseConfig({ model_type: "gpt2" }, "c")).toMatchObject({
      normEps: 1e-5,
      activation: "gelu-tanh",
      intermediateSize: 3072,
      eosTokenId: [50_256],
    });
  });

  it("Llama 3's rope scaling, in both spellings", () => {
    const values = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const four = { ...LLAMA, rope_theta: 5e5, rope_scaling: { ...values, rope_type: "llama3" } };
    const { rope_theta, rope_scaling, ...rest } = four;
    const five = { ...rest, rope_parameters: { ...values, rope_type: "llama3", rope_theta } };
    const old = { ...rest, rope_theta, rope_scaling: { ...values, type: "llama3" } };
    expect(parseConfig(four, "c").rope).toEqual({
      theta: 5e5,
      scaling: {
        type: "llama3",
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 8192,
      },
    });
    expect(parseConfig(five, "c").rope).toEqual(parseConfig(four, "c").rope);
    expect(parseConfig(old, "c").rope).toEqual(parseConfig(four, "c").rope);
  });

  it("Llama's bias flags and a list of eos ids", () => {
    const config = parseConfig(
      { ...LLAMA, attention_bias: true, mlp_bias: true, eos_token_id: [2, 5], pad_token_id: null },
      "c",
    );
    expect(config).toMatchObject({ qkvBias: true, outBias: true, mlpBias: true, eosTokenId: [2, 5] });
    expect(config).not.toHaveProperty("padTokenId");
  });

  it("GPT-2 without scaled attention, and with what only changes precision", () => {
    const config = parseConfig({ ...GPT2, scale_attn_weights: false, reorder_and_upcast_attn: true }, "c");
    expect(config.attentionScale).toBe(1);
  });

  it("labels only where there is a classifier", () => {
    const { id2label, ...silent } = LLAMA;
    expect(parseConfig({ ...silent, architectures: ["LlamaForCausalLM"] }, "c").architecture).toBe(
      "causal-lm",
    );
    expect(parseConfig({ ...silent, num_labels: 1 }, "c").architecture).toBe("sequence-classification");
  });
});

describe("refuses, naming the key and the file", () => {
  const yarn = { rope_type: "yarn", factor: 4 };
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["model_type", LLAMA, { model_type: "mamba" }],
    ["architectures", LLAMA, { architectures: ["LlamaForTokenClassification"] }],
    ["architectures", LLAMA, { architectures: ["MistralForCausalLM"] }],
    ["rope_scaling", LLAMA, { rope_scaling: yarn }],
    ["rope_scaling", LLAMA, { rope_scaling: { type: "linear", factor: 2 } }],
    ["rope_parameters", QWEN2, { rope_parameters: yarn }],
    ["rope_scaling", LLAMA, { rope_scaling: { rope_type: "llama3", factor: 8 } }],
    ["rope_theta", LLAMA, { rope_parameters: { rope_theta: 5e5 } }],
    ["partial_rotary_factor", LLAMA, { partial_rotary_factor: 0.5 }],
    [
      "partial_rotary_factor",
      QWEN2,
      { rope_parameters: { rope_type: "default", partial_rotary_factor: 0.5 } },
    ],
    ["use_sliding_window", QWEN2, { use_sliding_window: true, sliding_window: 8 }],
    ["layer_types", QWEN2, { layer_types: ["full_attention", "sliding_attention", "full_attention"] }],
    ["layer_types", LLAMA, { layer_types: ["sliding_attention", "full_attention"] }],
    ["sliding_window", LLAMA, { sliding_window: 8 }],
    ["hidden_act", LLAMA, { hidden_act: "gelu" }],
    ["activation_function", GPT2, { activation_function: "relu" }],
    ["activation_function", GPT2, { activation_function: "constructor" }],
    ["quantization_config", LLAMA, { quantization_config: { quant_method: "gptq", bits: 4 } }],
    ["scale_attn_by_inverse_layer_idx", GPT2, { scale_attn_by_inverse_layer_idx: true }],
    ["add_cross_attention", GPT2, { add_cross_attention: true }],
    ["num_labels", LLAMA, { id2label: { 0: "a", 1: "b" } }],
    ["num_labels", LLAMA, { num_labels: 2 }],
    ["num_labels", LLAMA, { id2label: null }],
    ["problem_type", LLAMA, { problem_type: "multi_label_classification" }],
    ["pretraining_tp", LLAMA, { pretraining_tp: 2 }],
    ["head_dim", LLAMA, { head_dim: 7 }],
    ["head_dim", LLAMA, { head_dim: 258 }],
    ["num_key_value_heads", LLAMA, { num_key_value_heads: 3 }],
    ["num_attention_heads", LLAMA, { num_attention_heads: 3, num_key_value_heads: 1, head_dim: null }],
    ["n_head", GPT2, { n_head: 3 }],
    ["n_embd", GPT2, { hidden_size: 48 }],
    ["vocab_size", LLAMA, { vocab_size: 0 }],
    ["vocab_size", LLAMA, { vocab_size: "112" }],
    ["num_hidden_layers", LLAMA, { num_hidden_layers: 1e15 }],
    ["rms_norm_eps", LLAMA, { rms_norm_eps: -1 }],
  ])("%s (%#)", (key, base, change) => {
    const parse = () => parseConfig({ ...base, ...change }, "dir/config.json");
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(new RegExp(`^dir/config\\.json: .*${key}`));
  });

  it("any JSON with an InputError, or reads it", () => {
    const keys = [...new Set([...Object.keys(LLAMA), ...Object.keys(GPT2), ...Object.keys(QWEN2)])];
    fc.assert(
      fc.property(
        fc.constantFrom<unknown>(LLAMA, GPT2, QWEN2, {}, { model_type: "qwen3" }),
        fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()),
        (base, change) => {
          try {
            parseConfig(Object.assign({}, base, change), "c");
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([null, 3, "x", []])("what is no object: %j", (value) => {
    expect(() => parseConfig(value, "c")).toThrow(InputError);
  });
});
