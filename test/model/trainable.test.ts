/** @file Models that learn as a whole: what they hold equals the checkpoint, under its names and in its shapes. */
import { describe, expect, it } from "vitest";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { TrainableModel } from "../../src/model/trainable.ts";
import { type GoldenCase, goldenModel } from "../reference/goldens.ts";
import { readModelFolder } from "../reference/safetensors.ts";
import { useGpu } from "../support/gpu.ts";
import { tinyModel } from "./tiny-model.ts";

const device = useGpu();
const small = useGpu({ limits: { maxBinding: 28 * 1024 } });

async function load(dir: string, lmHead: boolean, gpu = device()) {
  await using folder = await openModelFolder(dir);
  return await TrainableModel.load(gpu, folder, { trainable: "full", lmHead });
}

describe.each<[GoldenCase, boolean]>([
  ["llama", false],
  ["qwen2", false],
  ["qwen3", false],
  ["gpt2", false],
  ["llama-rope3-bias", false],
  ["gpt2-lm", true],
  ["llama-lm-tied", true],
  ["qwen2-lm", true],
])("%s", (name, lmHead) => {
  it("holds the checkpoint's values, whatever they are stored as", async () => {
    using model = await load(goldenModel(name), lmHead);
    const stored = readModelFolder(goldenModel(name));
    if (!lmHead) stored.delete("score.weight");
    const own = await model.read();
    expect([...own.keys()].sort()).toEqual([...stored.keys()].sort());
    for (const [key, { data }] of stored) expect(own.get(key), key).toEqual(Float32Array.from(data));
    for (const { stored: ranges } of model.parameters)
      for (const range of ranges) expect(range.shape).toEqual(stored.get(range.name)?.shape);
    expect(model.lmHead === undefined).toBe(!lmHead);
    if (lmHead) expect(model.lmHead === model.backbone.weights.embed).toBe(model.config.tied);
  });
});

it("decays matrices, not norms and biases", async () => {
  using model = await load(await tinyModel({ family: "gpt2" }), false);
  const spared = model.parameters.filter(({ decay }) => !decay).map(({ name }) => name);
  expect(spared.every((name) => / bias$|norm$/.test(name))).toBe(true);
  expect(model.parameters.filter(({ name }) => / bias$|norm$/.test(name)).length).toBe(spared.length);
});

it("spreads parameters over several buffers where a binding is small", async () => {
  const dir = await tinyModel({ family: "llama", config: { hidden_size: 96, vocab_size: 300 } });
  using model = await load(dir, false, small());
  const stored = readModelFolder(dir);
  for (const [key, values] of await model.read())
    expect(values, key).toEqual(Float32Array.from(stored.get(key)?.data ?? []));
});

it("gives everything back where a tensor is missing", async () => {
  const dir = await tinyModel({ family: "llama", config: { num_hidden_layers: 1 } });
  const { live } = device().memory;
  await using folder = await openModelFolder(dir);
  const options = { trainable: "full", head: new Float32Array(3) } as const;
  await expect(TrainableModel.load(device(), folder, options)).rejects.toThrow(/score.weight/);
  expect(device().memory.live).toBe(live);
});
