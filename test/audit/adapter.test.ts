/** @file Rewards through an adapter: PEFT's numbers, the base's bits where B is zero, and the adapter's way of reading. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { initialA } from "../../src/model/adapter/init.ts";
import { mergeAdapter } from "../../src/model/adapter/merge.ts";
import { openAdapter } from "../../src/model/adapter/open-adapter.ts";
import { loraParts } from "../../src/model/adapter/parts.ts";
import { saveAdapter, type TrainedAdapter } from "../../src/model/adapter/save-adapter.ts";
import { loraDefaults } from "../../src/model/adapter/settings.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import type { InputRecipe } from "../../src/model/recipe.ts";
import { readHead } from "../../src/model/reward-head.ts";
import { rmtrain } from "../cli/run-rmtrain.ts";
import { type AdapterCase, adapterFolder, adapterSequences } from "../model/adapter/golden-adapters.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { goldenModel, realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const device = useGpu();
const recipe: InputRecipe = { addEos: false, readPosition: "last", bos: "never" };

async function tinyAdapter(model: string, more: Partial<TrainedAdapter> = {}, zero = false): Promise<string> {
  const dir = join(temporaryFolder(), "adapter");
  await using base = await openModelFolder(model);
  const settings = { ...loraDefaults, r: 5, alpha: 7 };
  const values = new Map<string, Float32Array>();
  for (const part of loraParts(base.config, settings)) {
    const count = part.b.rows * part.b.cols;
    values.set(part.a.name, initialA(part, 3));
    values.set(part.b.name, zero ? new Float32Array(count) : normals(part.module.index, count, 0.3));
  }
  const head = (await readHead(base)) ?? normals(1, base.config.hiddenSize);
  await saveAdapter(dir, base, { task: "SEQ_CLS", settings, values, recipe, head, ...more });
  return dir;
}

const someIds = [Int32Array.of(5, 1, 7, 8, 2), Int32Array.of(3), Int32Array.of(9, 9, 4, 30, 2, 1, 17)];
const items = someIds.map((ids) => ({ sequences: [ids] }));

async function rewards(model: string, adapter?: string): Promise<number[]> {
  using loaded = await RewardModel.load(device(), model, { adapter });
  return (await loaded.scoreItems(items)).map(([only]) => only!.reward);
}

describe.each<AdapterCase>(["llama", "gpt2"])("PEFT's adapter on %s", (name) => {
  it("gives PEFT's rewards of every prefix, alone and in a batch", async () => {
    using model = await RewardModel.load(device(), goldenModel(name), { adapter: adapterFolder(name) });
    const sequences = adapterSequences(name);
    const all = sequences.map(({ ids }) => ({ sequences: [ids] }));
    const scored = (await model.scoreItems(all, { perToken: true })).flat();
    const apart = [];
    for (const item of all) apart.push(...(await model.scoreItems([item], { perToken: true })).flat());
    for (const [i, { of }] of sequences.entries()) {
      expect(relativeError(scored[i]!.perToken!, of("batch/rewards.f64"))).toBeLessThan(1e-5);
      expect(scored[i]!.perToken).toEqual(apart[i]!.perToken);
    }
  });
});

describe.each(["llama", "gpt2", "qwen3"] as const)("%s", (family) => {
  it("with B zero the rewards are the base's, bit for bit", async () => {
    const model = await tinyModel({ family, dtype: "BF16" });
    expect(await rewards(model, await tinyAdapter(model, {}, true))).toEqual(await rewards(model));
  });

  it("merged and beside the weights: the same rewards", async () => {
    const model = await tinyModel({ family });
    const dir = await tinyAdapter(model);
    const out = join(temporaryFolder(), "merged");
    await using base = await openModelFolder(model);
    await mergeAdapter(out, base, await openAdapter(dir, base));
    const beside = await rewards(model, dir);
    expect(relativeError(await rewards(out), beside)).toBeLessThan(1e-5);
    expect(relativeError(await rewards(model), beside)).toBeGreaterThan(0.01);
  });
});

it("without a head it is refused, unless a random one is asked for", async () => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm" });
  const adapter = await tinyAdapter(model, { task: "CAUSAL_LM", head: undefined });
  await expect(RewardModel.load(device(), model, { adapter })).rejects.toThrow(
    /has no reward head.*--init-head/,
  );
  using random = await RewardModel.load(device(), model, { adapter, initHead: "normal" });
  expect(await random.scoreItems(items)).toHaveLength(3);
});

describe("how texts are read", () => {
  const model = realModel("stories260k");

  it("as the adapter was trained, not as the base", async () => {
    const adapter = await tinyAdapter(model, {
      recipe: { ...recipe, addEos: true, eosTokenId: 2, bos: "always" },
    });
    using loaded = await RewardModel.load(device(), model, { adapter });
    expect(loaded.hasRecipe).toBe(true);
    const ids = loaded.encode("Once upon a time");
    expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
    using other = await RewardModel.load(device(), model, { adapter: await tinyAdapter(model) });
    expect(other.encode("Once upon a time")[0]).not.toBe(1);
  });

  it("another chat template than the adapter's own is told", async () => {
    const file = join(temporaryFolder(), "other.jinja");
    writeFileSync(file, "{{ messages }}");
    const chat = { templateSha256: "0".repeat(64), endOfTurn: [], addEos: false };
    const adapter = await tinyAdapter(model, { recipe: { ...recipe, chat } });
    await expect(RewardModel.load(device(), model, { adapter, chatTemplate: file })).rejects.toThrow(
      /chat template/,
    );
  });
});

it("an adapter in the place of a model is told to be one", async () => {
  const adapter = await tinyAdapter(await tinyModel({ family: "llama" }));
  await expect(RewardModel.load(device(), adapter)).rejects.toThrow(`--adapter ${adapter}`);
});

it("score, trace and eval take --adapter", async () => {
  const model = realModel("stories260k");
  const adapter = await tinyAdapter(model);
  const text = "Once upon a time";
  using loaded = await RewardModel.load(device(), model, { adapter });
  const [wanted] = await loaded.score([text]);
  const options = ["--model", model, "--adapter", adapter];
  const scored = await rmtrain(["score", ...options, "--data", "-"], `${JSON.stringify({ text })}\n`);
  expect(JSON.parse(scored.out)).toMatchObject({ reward: wanted });
  const traced = await rmtrain(["trace", text, ...options, "--json"]);
  expect(JSON.parse(traced.out).at(-1)).toMatchObject({ reward: wanted });
  const pair = `${JSON.stringify({ prompt: "Once", chosen: " upon a time", rejected: " again" })}\n`;
  const evaluated = await rmtrain(["eval", ...options, "--data", "-", "--json"], pair);
  expect(evaluated.code, evaluated.err).toBe(0);
});
