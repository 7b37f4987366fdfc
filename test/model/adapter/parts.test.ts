/** @file Which parts an adapter has on each family: PEFT's names, shapes, columns; initial values. */
import { describe, expect, it } from "vitest";
import { initialA } from "../../../src/model/adapter/init.ts";
import { loraModules } from "../../../src/model/adapter/modules.ts";
import { loraParts } from "../../../src/model/adapter/parts.ts";
import { type LoraSettings, loraDefaults } from "../../../src/model/adapter/settings.ts";
import { parseConfig } from "../../../src/model/config.ts";
import { decoderParts, partName } from "../../../src/model/decoder-parts.ts";

const llama = parseConfig(
  {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: 24,
    intermediate_size: 36,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    num_hidden_layers: 2,
    vocab_size: 40,
    tie_word_embeddings: false,
  },
  "config.json",
);
const gpt2 = parseConfig(
  {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    n_embd: 20,
    n_head: 2,
    n_layer: 2,
    vocab_size: 40,
  },
  "config.json",
);

const names = (config: typeof llama, settings: Partial<LoraSettings>, options = {}) =>
  loraParts(config, { ...loraDefaults, ...settings }, options).map(({ module }) => module.name);
const ends = (list: readonly string[]) => [...new Set(list.map((n) => n.slice(n.lastIndexOf(".") + 1)))];

describe("modules", () => {
  it("Llama's seven linears per layer, GPT-2's four", () => {
    expect(names(llama, {})).toHaveLength(14);
    expect(ends(names(llama, {}))).toEqual([
      ...["q_proj", "k_proj", "v_proj", "o_proj"],
      ...["gate_proj", "up_proj", "down_proj"],
    ]);
    expect(names(gpt2, {}).slice(0, 4)).toEqual([
      ...["transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_proj"],
      ...["transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_proj"],
    ]);
  });

  it.each([
    ["llama", llama],
    ["gpt2", gpt2],
  ])("%s: the columns of each fused linear are covered once, in order", (_, config) => {
    const sizes = new Map(decoderParts(config).map((part) => [part.name, part]));
    const next = new Map<string, number>();
    for (const { layer, linear, first, out, in: inputs } of loraModules(config)) {
      if (layer === undefined || linear === "lm_head") throw new Error("no head was asked for");
      const fused = partName.linear(layer, linear);
      expect(first).toBe(next.get(fused) ?? 0);
      expect(inputs).toBe(sizes.get(fused)?.cols);
      next.set(fused, first + out);
    }
    for (const [fused, end] of next) expect(end).toBe(sizes.get(fused)?.rows);
  });

  it("lm_head only where it is asked for by name", () => {
    expect(names(llama, {}, { lmHead: true })).not.toContain("lm_head");
    expect(names(llama, { targets: ["q_proj", "lm_head"] }, { lmHead: true })).toContain("lm_head");
    expect(() => names(llama, { targets: ["lm_head"] })).toThrow(/implicit rewards/);
    const tied = loraModules(gpt2, { lmHead: true }).at(-1);
    expect(tied).toMatchObject({ name: "lm_head", role: "embed", out: 40, in: 20, first: 0 });
  });
});

describe("targets", () => {
  it.each<[string, Partial<LoraSettings>, number, string[]]>([
    ["ends of names", { targets: ["q_proj", "v_proj"] }, 4, ["q_proj", "v_proj"]],
    ["a longer end", { targets: ["self_attn.q_proj"] }, 2, ["q_proj"]],
    ["one whole name", { targets: ["model.layers.1.mlp.up_proj"] }, 1, ["up_proj"]],
    ["an expression", { targets: ".*layers\\.1.*(q|k)_proj" }, 2, ["q_proj", "k_proj"]],
    [
      "some left out",
      { excluded: ["mlp.gate_proj", "o_proj", "down_proj", "up_proj"] },
      6,
      ["q_proj", "k_proj", "v_proj"],
    ],
    ["one layer", { targets: ["q_proj"], layers: [1] }, 1, ["q_proj"]],
  ])("%s", (_, settings, count, last) => {
    const found = names(llama, settings);
    expect(found).toHaveLength(count);
    expect(ends(found)).toEqual(last);
  });

  it("c_proj is the attention's and the MLP's; mlp.c_proj only the MLP's", () => {
    expect(names(gpt2, { targets: ["c_proj"] })).toHaveLength(4);
    expect(names(gpt2, { targets: ["mlp.c_proj"] })).toEqual([
      "transformer.h.0.mlp.c_proj",
      "transformer.h.1.mlp.c_proj",
    ]);
  });

  it.each<[string, Partial<LoraSettings>, RegExp]>([
    ["a mistyped one", { targets: ["q_proj", "q_prj"] }, /"q_prj".*q_proj, k_proj/],
    ["the head", { targets: ["score"] }, /learns as a whole/],
    ["embeddings", { targets: ["embed_tokens"] }, /not implemented/],
    ["none", { targets: [] }, /none/],
    ["an expression that JavaScript does not read", { targets: "(?P<x>q_proj)" }, /regular expression/],
    ["a rank of 0", { r: 0 }, /whole number above 0/],
    ["a rank of 0 by pattern", { rankPattern: { q_proj: 0 } }, /whole number above 0/],
    ["a negative alpha", { alpha: -1 }, /alpha/],
    ["dropout of everything", { dropout: 1 }, /dropout/],
  ])("%s is refused", (_, settings, message) => {
    expect(() => names(llama, settings)).toThrow(message);
  });

  it("shapes and scales, also by pattern", () => {
    const settings = { ...loraDefaults, r: 4, alpha: 8, targets: ["k_proj", "down_proj"] };
    const patterns = { rankPattern: { "layers.1.mlp.down_proj": 9 }, alphaPattern: { k_proj: 2 } };
    const parts = loraParts(llama, { ...settings, ...patterns });
    expect(parts.map(({ r, scale }) => [r, scale])).toEqual([
      ...[
        [4, 0.5],
        [4, 2],
      ],
      ...[
        [4, 0.5],
        [9, 8 / 9],
      ],
    ]);
    expect(parts[3]).toMatchObject({
      a: { name: "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight", rows: 9, cols: 36 },
      b: { name: "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight", rows: 24, cols: 9 },
      module: { linear: "down", layer: 1, first: 0 },
    });
    expect(parts[0]?.module).toMatchObject({ linear: "qkv", first: 24, out: 12 });
    expect(loraParts(llama, { ...settings, ...patterns, rslora: true })[3]?.scale).toBe(8 / 3);
  });
});

describe("initial A", () => {
  const parts = loraParts(llama, { ...loraDefaults, r: 64 });

  it("is uniform within 1 / sqrt(in)", () => {
    const [part] = parts;
    if (part === undefined) throw new Error("no part");
    const a = initialA(part, 5);
    const bound = 1 / Math.sqrt(part.module.in);
    expect(a).toHaveLength(64 * part.module.in);
    expect(Math.max(...a)).toBeLessThanOrEqual(bound);
    expect(Math.min(...a)).toBeGreaterThanOrEqual(-bound);
    expect(Math.max(...a)).toBeGreaterThan(0.98 * bound);
    const mean = a.reduce((sum, v) => sum + v, 0) / a.length;
    const variance = a.reduce((sum, v) => sum + v * v, 0) / a.length;
    expect(Math.abs(mean)).toBeLessThan((4 * bound) / Math.sqrt(3 * a.length));
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  });

  it("depends on the seed and the module, not on the other targets", () => {
    const all = parts.map((part) => initialA(part, 1));
    expect(new Set(all.map((a) => a[0])).size).toBe(parts.length);
    const [alone] = loraParts(llama, { ...loraDefaults, r: 64, targets: ["layers.1.mlp.up_proj"] });
    const same = parts.findIndex(({ module }) => module.name === alone?.module.name);
    if (alone === undefined) throw new Error("no part");
    expect(initialA(alone, 1)).toEqual(all[same]);
    expect(initialA(alone, 2)).not.toEqual(all[same]);
  });
});
