/** @file Adapters of ours: what is in the files, reading them back, and on which base. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashBase } from "../../../src/model/adapter/base-hash.ts";
import { initialA } from "../../../src/model/adapter/init.ts";
import { openAdapter } from "../../../src/model/adapter/open-adapter.ts";
import { loraParts } from "../../../src/model/adapter/parts.ts";
import { saveAdapter, type TrainedAdapter } from "../../../src/model/adapter/save-adapter.ts";
import { loraDefaults } from "../../../src/model/adapter/settings.ts";
import { readChatTemplate } from "../../../src/model/chat/template.ts";
import { type ModelFolder, openModelFolder } from "../../../src/model/model-folder.ts";
import type { InputRecipe } from "../../../src/model/recipe.ts";
import { saveLanguageModel } from "../../../src/model/save.ts";
import { readSafetensors } from "../../reference/safetensors.ts";
import { normals } from "../../support/numbers.ts";
import { temporaryFolder, tinyModel } from "../tiny-model.ts";

const recipe: InputRecipe = { addEos: true, eosTokenId: 3, readPosition: "last", bos: "never" };
const settings = { ...loraDefaults, r: 3, alpha: 12 };

function trained(base: ModelFolder, more: Partial<TrainedAdapter> = {}): TrainedAdapter {
  const values = new Map<string, Float32Array>();
  for (const part of loraParts(
    base.config,
    { ...settings, ...more.settings },
    { lmHead: more.task === "CAUSAL_LM" },
  )) {
    values.set(part.a.name, initialA(part, 1));
    values.set(part.b.name, normals(part.module.index, part.b.rows * part.r));
  }
  const head = normals(99, base.config.hiddenSize);
  return { task: "SEQ_CLS", settings, values, recipe, ...(more.task ? {} : { head }), ...more };
}

async function saved(model: string, more: Partial<TrainedAdapter> = {}) {
  await using base = await openModelFolder(model);
  const out = join(temporaryFolder(), "adapter");
  const adapter = trained(base, more);
  await saveAdapter(out, base, adapter);
  const config: Record<string, unknown> = JSON.parse(readFileSync(join(out, "adapter_config.json"), "utf8"));
  return { out, adapter, config };
}

async function open(dir: string, model: string) {
  await using base = await openModelFolder(model);
  return await openAdapter(dir, base);
}

describe("a classifier's", () => {
  it.each([
    ["llama", ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]],
    ["gpt2", ["c_attn", "c_proj", "c_fc"]],
  ] as const)("%s: PEFT's settings and names", async (family, targets) => {
    const model = await tinyModel({ family, architecture: "causal-lm" });
    const { out, config, adapter } = await saved(model);
    expect(readdirSync(out).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(config).toMatchObject({
      peft_type: "LORA",
      task_type: "SEQ_CLS",
      base_model_name_or_path: model,
      r: 3,
      lora_alpha: 12,
      lora_dropout: 0,
      bias: "none",
      fan_in_fan_out: family === "gpt2",
      modules_to_save: ["score"],
      target_modules: targets,
      inference_mode: true,
    });
    const tensors = readSafetensors(join(out, "adapter_model.safetensors"));
    expect([...tensors.keys()].sort()).toEqual(
      [...adapter.values.keys(), "base_model.model.score.weight"].sort(),
    );
    expect(tensors.get("base_model.model.score.weight")?.shape[0]).toBe(1);
  });

  it("is read back bit for bit, with its recipe", async () => {
    const model = await tinyModel({ family: "qwen2", dtype: "BF16" });
    const patterns = {
      rankPattern: { q_proj: 5 },
      alphaPattern: { "mlp.up_proj": 1 },
      rslora: true,
      dropout: 0.25,
    };
    const { out, adapter } = await saved(model, {
      settings: { ...settings, ...patterns, targets: ["q_proj", "up_proj"] },
    });
    const back = await open(out, model);
    expect(back.settings).toEqual(adapter.settings);
    expect(back.head).toEqual(adapter.head);
    expect(back.recipe).toEqual(recipe);
    expect(back.task).toBe("SEQ_CLS");
    expect(back.parts).toHaveLength(4);
    for (const { a, b, values } of back.parts) {
      expect(values.a).toEqual(adapter.values.get(a.name));
      expect(values.b).toEqual(adapter.values.get(b.name));
    }
  });

  it("keeps targets that PEFT's adapter has named and the model lacks", async () => {
    const model = await tinyModel({ family: "llama" });
    const { out, adapter } = await saved(model, { settings: { ...settings, targets: ["q_proj"] } });
    await using base = await openModelFolder(model);
    const named = { ...settings, targets: ["q_proj", "query_key_value"] };
    await saveAdapter(out, base, { ...adapter, settings: named });
    const back = await open(out, model);
    expect([back.settings.targets, back.parts.length]).toEqual([named.targets, 2]);
  });

  it("has its chat template where that is not the base's", async () => {
    const model = await tinyModel({ family: "llama" });
    const file = join(temporaryFolder(), "mine.jinja");
    writeFileSync(file, "{{ messages[0].content }}");
    const chatTemplate = await readChatTemplate(file);
    const { out } = await saved(model, { chatTemplate });
    expect((await open(out, model)).chatTemplate).toBe(join(out, "chat_template.jinja"));
    cpSync(file, join(model, "chat_template.jinja"));
    const again = await saved(model, { chatTemplate });
    expect((await open(again.out, model)).chatTemplate).toBeUndefined();
  });

  it("leaves nothing of another adapter that was in the folder", async () => {
    const model = await tinyModel({ family: "llama" });
    await using base = await openModelFolder(model);
    const out = join(temporaryFolder(), "adapter");
    await saveAdapter(out, base, trained(base));
    await saveAdapter(out, base, trained(base, { settings: { ...settings, targets: ["q_proj"] } }));
    expect((await open(out, model)).parts).toHaveLength(2);
    await expect(saveAdapter(out, base, { ...trained(base), values: new Map() })).rejects.toThrow(
      /no values for/,
    );
    expect(existsSync(join(out, "adapter_model.safetensors"))).toBe(true);
  });
});

it("a language model's has no head, may have an update of lm_head, and says how its reward is made", async () => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm" });
  const reward = { beta: 0.1, reference: "base" };
  const { out, config } = await saved(model, {
    task: "CAUSAL_LM",
    reward,
    settings: { ...settings, targets: ["q_proj", "lm_head"] },
  });
  expect(config).toMatchObject({
    task_type: "CAUSAL_LM",
    modules_to_save: null,
    target_modules: ["q_proj", "lm_head"],
  });
  const back = await open(out, model);
  expect(back.head).toBeUndefined();
  expect(back.reward).toEqual(reward);
  expect(back.parts.map(({ module }) => module.linear)).toContain("lm_head");
});

describe("the base's hash", () => {
  it("another base of the same shape is refused, by name", async () => {
    const model = await tinyModel({ family: "llama" });
    const other = await tinyModel({ family: "llama", seed: 2 });
    const { out } = await saved(model);
    await expect(open(out, other)).rejects.toThrow(`then called ${model}`);
    await expect(open(out, other)).rejects.toMatchObject({ exitCode: 2 });
  });

  it("so is one whose config.json computes otherwise", async () => {
    const model = await tinyModel({ family: "llama", config: { rope_theta: 10_000 } });
    const { out } = await saved(model);
    const file = join(model, "config.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), rope_theta: 500_000 }));
    await expect(open(out, model)).rejects.toThrow(/another base/);
  });

  it("shards and heads make no other base", async () => {
    const model = await tinyModel({ family: "llama", architecture: "causal-lm" });
    const { out } = await saved(model);
    await using base = await openModelFolder(model);
    const copy = join(temporaryFolder(), "shards");
    await saveLanguageModel(copy, base, { recipe, maxShardSize: 10_000 });
    expect(readdirSync(copy).filter((name) => name.endsWith(".safetensors")).length).toBeGreaterThan(1);
    expect((await open(out, copy)).parts).toHaveLength(14);
    await using sharded = await openModelFolder(copy);
    const [one, two] = [await hashBase(base, { lmHead: true }), await hashBase(sharded, { lmHead: true })];
    expect(two).toBe(one);
    expect(await hashBase(base, { lmHead: false })).not.toBe(one);
  });

  it("a header that another version wrote is refused", async () => {
    const model = await tinyModel({ family: "llama" });
    const { out } = await saved(model);
    const file = join(out, "adapter_model.safetensors");
    writeFileSync(file, readFileSync(file, "latin1").replace('\\"version\\":1', '\\"version\\":7'), "latin1");
    await expect(open(out, model)).rejects.toThrow(/rmtrain.version.*another version/);
  });
});
