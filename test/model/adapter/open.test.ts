/** @file Adapters that PEFT has written, read; and what is refused. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAdapter } from "../../../src/model/adapter/open-adapter.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { fromFloat32, openCheckpoint, writeSafetensors } from "../../../src/model/safetensors/index.ts";
import { referenceForward, tokenLogProbabilities } from "../../reference/forward.ts";
import { goldenModel } from "../../reference/goldens.ts";
import { relativeError } from "../../support/numbers.ts";
import { temporaryFolder, tinyModel } from "../tiny-model.ts";
import {
  type AdapterCase,
  adaptedReference,
  adapterFolder,
  adapterSequences,
  adapterTensors,
  referenceRewards,
} from "./golden-adapters.ts";

const cases = ["llama", "gpt2", "qwen2-lm"] as const;

async function open(dir: string, model: string) {
  await using base = await openModelFolder(model);
  return await openAdapter(dir, base);
}

/** A copy of PEFT's adapter with other settings or tensors. */
async function changed(
  name: AdapterCase,
  config: Readonly<Record<string, unknown>>,
  tensors?: (name: string, shape: readonly number[]) => readonly [string, readonly number[]] | undefined,
): Promise<string> {
  const dir = join(temporaryFolder(), "adapter");
  cpSync(adapterFolder(name), dir, { recursive: true });
  const file = join(dir, "adapter_config.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...config }));
  if (tensors === undefined) return dir;
  const sources = [...adapterTensors(name)].flatMap(([old, { shape }]) => {
    const [tensor, size] = tensors(old, shape) ?? [];
    if (tensor === undefined || size === undefined) return [];
    const values = new Float32Array(size.reduce((a, b) => a * b, 1));
    return [{ name: tensor, dtype: "F32" as const, shape: size, data: () => fromFloat32(values, "F32") }];
  });
  await writeSafetensors(join(dir, "adapter_model.safetensors"), sources);
  return dir;
}

describe("PEFT's own", () => {
  it.each(cases)("%s: every tensor, by its part", async (name) => {
    const adapter = await open(adapterFolder(name), goldenModel(name));
    const stored = adapterTensors(name);
    let values = 0;
    for (const { a, b, values: own } of adapter.parts) {
      expect(own.a).toEqual(Float32Array.from(stored.get(a.name)!.data));
      expect(own.b).toEqual(Float32Array.from(stored.get(b.name)!.data));
      values += 2;
    }
    expect(values).toBe([...stored.keys()].filter((key) => key.includes(".lora_")).length);
    expect(adapter.head === undefined).toBe(name === "qwen2-lm");
    expect(adapter.recipe).toBeUndefined();
  });

  it.each(["llama", "gpt2"] as const)("%s: the reference computes PEFT's rewards", async (name) => {
    await using base = await openModelFolder(goldenModel(name));
    const weights = adaptedReference(name);
    for (const { ids, of } of adapterSequences(name))
      expect(
        relativeError(referenceRewards(base.config, weights, ids), of("batch/rewards.f64")),
      ).toBeLessThan(1e-6);
  });

  it("qwen2-lm: the reference computes PEFT's log-probabilities, with an update of lm_head", async () => {
    await using base = await openModelFolder(goldenModel("qwen2-lm"));
    const weights = adaptedReference("qwen2-lm");
    for (const { ids, of } of adapterSequences("qwen2-lm")) {
      const { logits } = referenceForward(base.config, weights, ids);
      const logps = tokenLogProbabilities(logits!, ids, base.config.vocabSize);
      const golden = of("batch/token_logps.f64").subarray(0, ids.length - 1);
      expect(relativeError(logps, golden)).toBeLessThan(1e-6);
    }
  });

  it("scales by rank_pattern, alpha_pattern and use_rslora", async () => {
    const { parts } = await open(adapterFolder("gpt2"), goldenModel("gpt2"));
    const scale = (end: string) => parts.filter((p) => p.module.name.endsWith(end)).map((p) => p.scale);
    expect(scale("c_attn")).toEqual([6 / Math.sqrt(2), 3]);
    expect(scale("c_fc")).toEqual([1.5, 1.5]);
    expect(scale("mlp.c_proj")).toEqual([3, 3]);
    expect(scale("attn.c_proj")).toEqual([]);
  });
});

describe("refused", () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ peft_type: "LOHA" }, /peft_type = "LOHA" is not implemented/],
    [{ task_type: "SEQ_2_SEQ_LM" }, /task_type/],
    [{ use_dora: true }, /use_dora = true is not implemented/],
    [{ bias: "lora_only" }, /bias = "lora_only" is not implemented/],
    [{ lora_bias: true }, /lora_bias/],
    [{ init_lora_weights: "pissa" }, /init_lora_weights = "pissa"/],
    [{ loftq_config: { loftq_bits: 4 } }, /loftq_config/],
    [{ modules_to_save: ["score", "embed_tokens"] }, /modules_to_save = "embed_tokens"/],
    [{ layer_replication: [[0, 2]] }, /layer_replication/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices/],
    [{ a_setting_to_come: 3 }, /a_setting_to_come = 3 is not implemented/],
    [{ r: "many" }, /adapter_config.json: r:/],
    [{ target_modules: ["nothing"] }, /target_modules: .*means none/],
    // One target fewer than there are tensors.
    [{ target_modules: ["q_proj"] }, /has 24 tensors .*no place/],
    [{ r: 4 }, /lora_A.weight has shape \[3, .*ask for \[4,/],
  ])("%o", async (config, message) => {
    const opening = open(await changed("llama", config), goldenModel("llama"));
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ exitCode: 2 });
  });

  it("settings that are off, and how an adapter began, are not in the way", async () => {
    const config = {
      a_setting_to_come: null,
      another: {},
      init_lora_weights: "gaussian",
      eva_config: { rho: 2 },
    };
    const { parts } = await open(await changed("llama", config), goldenModel("llama"));
    expect(parts).toHaveLength(14);
  });

  it("a tensor that is missing", async () => {
    const missing = "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight";
    const dir = await changed("llama", {}, (name, shape) => (name === missing ? undefined : [name, shape]));
    await expect(open(dir, goldenModel("llama"))).rejects.toThrow(/lacks 1 .*layers.0.mlp.down_proj.lora_B/);
  });

  it("a head of two outputs", async () => {
    const dir = await changed("llama", {}, (name, shape) => [name, name.includes("score") ? [2, 32] : shape]);
    await expect(open(dir, goldenModel("llama"))).rejects.toThrow(/score.weight has shape \[2, 32\]/);
  });

  it("a vocabulary head that is not the base's, where PEFT keeps a copy of it", async () => {
    const dir = await changed("qwen2-lm", {}, (name, shape) => [name, shape]);
    await expect(open(dir, goldenModel("qwen2-lm"))).rejects.toThrow(/lm_head.base_layer.weight/);
  });

  it("a base of other shapes", async () => {
    const other = await tinyModel({ family: "llama" });
    await expect(open(adapterFolder("llama"), other)).rejects.toThrow(/ask for \[3, 24\]/);
  });

  it("folders without an adapter", async () => {
    const model = goldenModel("llama");
    await expect(open("no/such", model)).rejects.toThrow(/There is no folder no\/such/);
    await expect(open(model, model)).rejects.toThrow(/no adapter_config.json.*goes by --model/);
  });
});

it("the golden adapters' files are as PEFT writes them: no metadata of ours", async () => {
  await using weights = await openCheckpoint(join(adapterFolder("llama"), "adapter_model.safetensors"));
  expect(weights.metadata).toEqual({ format: "pt" });
});
