/** @file Merged adapters: W + scale B A, rounded once, as an ordinary checkpoint. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeAdapter } from "../../../src/model/adapter/merge.ts";
import { openAdapter } from "../../../src/model/adapter/open-adapter.ts";
import { loraParts } from "../../../src/model/adapter/parts.ts";
import { saveAdapter } from "../../../src/model/adapter/save-adapter.ts";
import { loraDefaults } from "../../../src/model/adapter/settings.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import type { InputRecipe } from "../../../src/model/recipe.ts";
import { fromFloat32 } from "../../../src/model/safetensors/index.ts";
import { rmtrain } from "../../cli/run-rmtrain.ts";
import { referenceForward, tokenLogProbabilities } from "../../reference/forward.ts";
import { goldenModel } from "../../reference/goldens.ts";
import { readModelFolder, readSafetensors } from "../../reference/safetensors.ts";
import { normals, relativeError } from "../../support/numbers.ts";
import { temporaryFolder, tinyModel } from "../tiny-model.ts";
import {
  type AdapterCase,
  adaptedReference,
  adapterFolder,
  adapterSequences,
  referenceRewards,
} from "./golden-adapters.ts";

const recipe: InputRecipe = { addEos: false, readPosition: "last", bos: "never" };

async function merged(model: string, dir: string) {
  const out = join(temporaryFolder(), "merged");
  await using base = await openModelFolder(model);
  const kind = await mergeAdapter(out, base, await openAdapter(dir, base));
  return { out, kind };
}

describe.each<AdapterCase>(["llama", "gpt2", "qwen2-lm"])("PEFT's on %s", (name) => {
  it("every weight is the float64 sum, rounded once to the base's dtype", async () => {
    const { out, kind } = await merged(goldenModel(name), adapterFolder(name));
    expect(kind).toBe(name === "qwen2-lm" ? "language model" : "reward model");
    const base = readModelFolder(goldenModel(name));
    const reference = adaptedReference(name);
    const files = readdirSync(out).filter((file) => file.endsWith(".safetensors"));
    const tensors = new Map(files.flatMap((file) => [...readSafetensors(join(out, file))]));
    let changed = 0;
    for (const [tensor, { dtype, data: all }] of tensors) {
      const old = base.get(tensor);
      const wanted = reference.get(tensor)!.data;
      const data = all.subarray(0, wanted.length); // the embedding has a row more, for the pad
      if (tensor !== "score.weight") expect(dtype).toBe(old?.dtype);
      if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") expect.fail(`${tensor} is ${dtype}`);
      const rounded = fromFloat32(Float32Array.from(wanted), dtype);
      const stored = fromFloat32(Float32Array.from(data), dtype);
      // The order of a sum of r products in float64 may turn a rounding over, seldom.
      const differ = stored.reduce((n, byte, i) => n + (byte === rounded[i] ? 0 : 1), 0);
      expect(differ, tensor).toBeLessThanOrEqual(stored.length / 1e4);
      if (old !== undefined && relativeError(data, old.data) > 1e-3) changed++;
    }
    expect(changed).toBe({ llama: 14, gpt2: 6, "qwen2-lm": 5 }[name] + (name === "qwen2-lm" ? 0 : 1));
    expect([...tensors.keys()].sort()).toEqual([...reference.keys()].sort());
  });
});

it("PEFT's rewards come out of the merged weights (F32 base)", async () => {
  const { out } = await merged(goldenModel("llama"), adapterFolder("llama"));
  await using folder = await openModelFolder(out);
  expect(folder.config.architecture).toBe("sequence-classification");
  const weights = readModelFolder(out);
  for (const { ids, of } of adapterSequences("llama"))
    expect(
      relativeError(referenceRewards(folder.config, weights, ids), of("batch/rewards.f64")),
    ).toBeLessThan(1e-6);
});

async function tinyAdapter(model: string, targets: readonly string[], task: "SEQ_CLS" | "CAUSAL_LM") {
  const dir = join(temporaryFolder(), "adapter");
  await using base = await openModelFolder(model);
  const settings = { ...loraDefaults, r: 3, alpha: 6, targets };
  const values = new Map<string, Float32Array>();
  for (const { a, b } of loraParts(base.config, settings, { lmHead: task === "CAUSAL_LM" }))
    for (const { name, rows, cols } of [a, b]) values.set(name, normals(name.length, rows * cols, 0.3));
  const head = task === "SEQ_CLS" ? normals(1, base.config.hiddenSize) : undefined;
  await saveAdapter(dir, base, { task, settings, values, recipe, head });
  return dir;
}

it("is sharded as the base, and keeps the adapter's recipe", async () => {
  const model = goldenModel("qwen2");
  const shards = (dir: string) => readdirSync(dir).filter((file) => file.endsWith(".safetensors")).length;
  expect(shards(model)).toBe(2);
  const { out } = await merged(model, await tinyAdapter(model, ["q_proj", "down_proj"], "SEQ_CLS"));
  expect(shards(out)).toBe(2);
  await using folder = await openModelFolder(out);
  expect(folder.recipe).toMatchObject(recipe);
});

it("an update of a tied lm_head parts it from the embedding", async () => {
  const tied = { tie_word_embeddings: true };
  const model = await tinyModel({ family: "llama", architecture: "causal-lm", config: tied });
  const dir = await tinyAdapter(model, ["lm_head"], "CAUSAL_LM");
  const { out } = await merged(model, dir);
  const config: unknown = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(config).toMatchObject({ tie_word_embeddings: false, architectures: ["LlamaForCausalLM"] });

  const [base, after] = [readModelFolder(model), readModelFolder(out)];
  const embed = "model.embed_tokens.weight";
  expect(after.get(embed)).toEqual(base.get(embed));
  const adapter = readSafetensors(join(dir, "adapter_model.safetensors"));
  const [a, b] = ["A", "B"].map(
    (which) => adapter.get(`base_model.model.lm_head.lora_${which}.weight`)!.data,
  );
  const wanted = base.get(embed)!.data.map((w, i) => {
    const [v, k] = [Math.floor(i / 24), i % 24];
    return w + 2 * [0, 1, 2].reduce((sum, j) => sum + b![v * 3 + j]! * a![j * 24 + k]!, 0);
  });
  expect(relativeError(after.get("lm_head.weight")!.data, wanted)).toBeLessThan(1e-7);
  await using folder = await openModelFolder(out);
  const ids = Int32Array.of(1, 5, 9, 2);
  const { logits } = referenceForward(folder.config, after, ids);
  expect(tokenLogProbabilities(logits!, ids, 40).every((p) => p < 0)).toBe(true);
});

describe("the command", () => {
  it("merges, and says what came of it", async () => {
    const out = join(temporaryFolder(), "merged");
    const args = ["merge", "--model", goldenModel("gpt2"), "--adapter", adapterFolder("gpt2")];
    const { code, err } = await rmtrain([...args, "--out", out]);
    expect({ code, err }).toEqual({
      code: 0,
      err: `6 updates of rank 2, 4 merged: ${out} is a reward model\n`,
    });
    const again = await rmtrain([...args, "--out", out]);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/is not empty; give a new folder/);
  });

  it("refuses an adapter without a head on a base without a vocabulary head", async () => {
    const model = goldenModel("qwen2");
    const causal = await tinyAdapter(model, ["q_proj"], "CAUSAL_LM");
    const args = ["--model", model, "--adapter", causal, "--out", join(temporaryFolder(), "merged")];
    const { code, err } = await rmtrain(["merge", ...args]);
    expect(code).toBe(2);
    expect(err).toMatch(/has no reward head/);
  });
});
