/** @file Tensor names: every checkpoint of the goldens resolves whole, in each prefix, and what is wrong is named. */
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { parseConfig } from "../../src/model/config.ts";
import type { Role } from "../../src/model/families/family.ts";
import {
  architectureName,
  expectedTensors,
  hfName,
  resolveTensors,
  tensorKey,
} from "../../src/model/families/tensors.ts";
import { type GoldenCase, goldenJson, goldenModel, realModel } from "../reference/goldens.ts";
import { readModelFolder } from "../reference/safetensors.ts";

const load = (name: GoldenCase, folder: "model" | "model-bare" = "model") => ({
  config: parseConfig(goldenJson(name, `${folder}/config.json`), "config.json"),
  tensors: readModelFolder(goldenModel(name, folder)),
});

describe("resolveTensors", () => {
  it.each([
    "gpt2",
    "llama",
    "llama-wide",
    "qwen2",
    "gpt2-lm",
    "llama-lm-tied",
    "qwen2-lm",
    "adamw-head",
    "qwen3",
    "llama-rope3-bias",
    "gpt2-erf",
  ] as const)("finds every tensor of %s and leaves none over", (name) => {
    const { config, tensors } = load(name);
    const { found, missing, unused } = resolveTensors(config, tensors);
    expect(missing).toEqual([]);
    expect(unused).toEqual([]);
    expect([...found.values()].sort()).toEqual([...tensors.keys()].sort());
  });

  it("finds GPT-2's without the prefix and passes over its mask buffers", () => {
    const { config, tensors } = load("gpt2-lm", "model-bare");
    const { found, unused } = resolveTensors(config, tensors);
    expect(found.get("embed")).toBe("wte.weight");
    expect(found.get("1.qkv.weight")).toBe("h.1.attn.c_attn.weight");
    expect(found.size + 2).toBe(tensors.size);
    expect(unused).toEqual([]);
  });

  it.each(["stories260k", "capp-gpt2"] as const)("resolves the real model %s", (name) => {
    const config = parseConfig(goldenJson(`models/${name}`, "config.json"), "config.json");
    expect(resolveTensors(config, readModelFolder(realModel(name)))).toMatchObject({
      missing: [],
      unused: [],
    });
  });

  it("finds a Llama without its prefix, without its old buffers, and lists what is unused", () => {
    const { config, tensors } = load("llama");
    const bare = new Map([...tensors].map(([name, t]) => [name.replace(/^model\./, ""), t]));
    const idle = { dtype: "F32", shape: [4] };
    bare.set("layers.0.self_attn.rotary_emb.inv_freq", { ...idle, data: new Float64Array(4) });
    bare.set("value_head.weight", { ...idle, data: new Float64Array(4) });
    const { found, unused } = resolveTensors(config, bare);
    expect(found.get("0.q.weight")).toBe("layers.0.self_attn.q_proj.weight");
    expect(found.get("score")).toBe("score.weight");
    expect(unused).toEqual(["value_head.weight"]);
  });

  it("allows a classifier without a head, and a tied model with a copy of its own", () => {
    const llama = load("llama");
    llama.tensors.delete("score.weight");
    const { found, missing } = resolveTensors(llama.config, llama.tensors);
    expect(found.has("score")).toBe(false);
    expect(missing).toEqual(["score.weight"]);

    const tied = load("llama-lm-tied");
    const embedding = tied.tensors.get("model.embed_tokens.weight");
    if (embedding) tied.tensors.set("lm_head.weight", embedding);
    expect(resolveTensors(tied.config, tied.tensors).unused).toEqual([]);
  });

  it("names the missing tensors, ten of them and the count of the rest", () => {
    const { config, tensors } = load("qwen2");
    tensors.delete("model.layers.1.self_attn.k_proj.bias");
    expect(() => resolveTensors(config, tensors)).toThrow(
      /lacks 1 of .*model\.layers\.1\.self_attn\.k_proj\.bias/,
    );
    expect(() => resolveTensors(config, new Map())).toThrow(InputError);
    expect(() => resolveTensors(config, new Map())).toThrow(/lacks 38 .*embed_tokens.*, and 28 more$/);
  });

  it.each([
    ["score.weight", [2, 32]],
    ["model.embed_tokens.weight", [32, 112]],
    ["model.norm.weight", [32, 1]],
  ])("names a wrong shape of %s and both shapes", (name, shape) => {
    const { config, tensors } = load("llama");
    const tensor = tensors.get(name);
    const broken = new Map<string, { dtype: string; shape: readonly number[] }>(tensors);
    broken.set(name, { dtype: "F32", shape });
    const text = `tensor ${name} has shape [${shape.join(", ")}], but config.json asks for [${tensor?.shape.join(", ")}]`;
    expect(() => resolveTensors(config, broken)).toThrow(InputError);
    expect(() => resolveTensors(config, broken)).toThrow(text);
  });
});

describe("expectedTensors", () => {
  it("gives Qwen3 its norms over each head of q and k, and its own head size", () => {
    const config = parseConfig(
      {
        model_type: "qwen3",
        hidden_size: 20,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 12,
        num_hidden_layers: 1,
        intermediate_size: 24,
        vocab_size: 30,
      },
      "c",
    );
    const shapes = new Map(expectedTensors(config).map((t) => [tensorKey(t.role, t.layer), t.shape]));
    expect(shapes.get("0.q.weight")).toEqual([48, 20]);
    expect(shapes.get("0.k.weight")).toEqual([24, 20]);
    expect(shapes.get("0.o.weight")).toEqual([20, 48]);
    expect(shapes.get("0.q_norm.weight")).toEqual([12]);
    expect(shapes.get("0.k_norm.weight")).toEqual([12]);
    expect(shapes.has("0.q.bias")).toBe(false);
  });

  it("adds Llama's optional biases to all four linears of attention, and to the MLP's", () => {
    const config = parseConfig({ ...load("llama").config.raw, attention_bias: true, mlp_bias: true }, "c");
    const biases = expectedTensors(config).filter((t) => t.layer === 0 && t.role.endsWith(".bias"));
    expect(biases.map((t) => [t.role, t.shape[0]])).toEqual([
      ["q.bias", 32],
      ["k.bias", 16],
      ["v.bias", 16],
      ["o.bias", 32],
      ["gate.bias", 56],
      ["up.bias", 56],
      ["down.bias", 32],
    ]);
  });

  it("marks GPT-2's Conv1D weights as transposed, and nothing else", () => {
    const transposed = expectedTensors(load("gpt2").config).filter((t) => t.transposed);
    expect(new Set(transposed.map((t) => t.role))).toEqual(
      new Set<Role>(["qkv.weight", "o.weight", "up.weight", "down.weight"]),
    );
    expect(transposed.find((t) => t.role === "qkv.weight")?.shape).toEqual([32, 96]);
  });
});

describe("names to write", () => {
  it.each(["gpt2", "llama", "qwen2", "qwen3", "llama-rope3-bias"] as const)(
    "are those of %s's own checkpoint",
    (name) => {
      const { config, tensors } = load(name);
      const names = expectedTensors(config).map((t) => hfName(config, t.role, t.layer));
      expect(names.sort()).toEqual([...tensors.keys()].sort());
      expect([architectureName(config.family, "sequence-classification")]).toEqual(config.raw.architectures);
    },
  );

  it("throws for a role that the family lacks", () => {
    expect(() => hfName(load("llama").config, "positions")).toThrow(RangeError);
  });
});
