/** @file Loading: weights larger than a binding, every stored dtype, and what each bad folder is told. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { InputError } from "../../src/errors.ts";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { parseConfig } from "../../src/model/config.ts";
import { loadBackbone } from "../../src/model/load.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { writeSafetensors } from "../../src/model/safetensors/index.ts";
import { readTensor } from "../../src/tensor/tensor.ts";
import { relativeError } from "../reference/error.ts";
import { referenceForward } from "../reference/forward.ts";
import { realModel } from "../reference/goldens.ts";
import { readModelFolder } from "../reference/safetensors.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { gpuForward } from "./gpu-forward.ts";
import { type Patch, writeSparseCheckpoint } from "./sparse-checkpoint.ts";
import { type TinyModel, temporaryFolder, tinyModel } from "./tiny-model.ts";

const MIB = 2 ** 20;
/** WebGPU's default, and lavapipe's. */
const BINDING = 128 * MIB;
const device = useGpu({ limits: { maxBinding: BINDING } });

async function load(dir: string) {
  await using folder = await openModelFolder(dir);
  return (await loadBackbone(device(), folder)).backbone;
}

function sparseModel(json: Record<string, unknown>, patches: readonly Patch[]): string {
  const dir = temporaryFolder();
  writeFileSync(join(dir, "config.json"), JSON.stringify(json));
  writeSparseCheckpoint(dir, parseConfig(json, "config.json"), patches);
  return dir;
}

describe("large weights", () => {
  it("an embedding of 200 MiB is bound in windows: rows on both sides of the cut", async () => {
    const hidden = 16;
    const rows = (200 * MIB) / (4 * hidden);
    const cut = BINDING / (4 * hidden);
    const wanted = [0, cut - 1, cut, cut + 1, rows - 1];
    const values = wanted.map((_, i) => normals(i, hidden));
    const json = {
      model_type: "llama",
      vocab_size: rows,
      hidden_size: hidden,
      intermediate_size: 8,
      num_attention_heads: 2,
      num_hidden_layers: 1,
    };
    const patches = wanted.map((row, i) => ({
      tensor: "model.embed_tokens.weight",
      index: row * hidden,
      values: values[i] ?? new Float32Array(),
    }));
    const backbone = await load(sparseModel(json, patches));
    expect(device().memory.live).toBeGreaterThan(200 * MIB);
    const order = [3, 0, 4, 2, 1, 2];
    const [states] = await gpuForward(backbone, [order.map((i) => wanted[i] ?? 0)]);
    expect([...(states?.hiddenStates[0] ?? [])]).toEqual(order.flatMap((i) => [...(values[i] ?? [])]));
    backbone.release();
    device().trim();
  });

  it("a Conv1D weight of several reads is turned as a whole", async () => {
    const hidden = 1024;
    const inner = 3 * hidden;
    const json = {
      model_type: "gpt2",
      n_embd: hidden,
      n_head: 8,
      n_layer: 1,
      n_inner: inner,
      vocab_size: 4,
      n_positions: 4,
    };
    const at = [0, 1, 682, 683, hidden - 1].flatMap((k) =>
      [0, 1, inner - 1].map((n) => ({ k, n, value: k + n / 4096 })),
    );
    const patches = at.map(({ k, n, value }) => ({
      tensor: "transformer.h.0.mlp.c_fc.weight",
      index: k * inner + n,
      values: Float32Array.of(value),
    }));
    const backbone = await load(sparseModel(json, patches));
    const weight = backbone.weights.layers[0]?.up.weight ?? expect.fail("no layer");
    expect([weight.rows, weight.cols]).toEqual([inner, hidden]);
    const turned = await readTensor(device(), weight);
    for (const { k, n, value } of at) expect(turned[n * hidden + k]).toBe(Math.fround(value));
    expect(turned.filter((v) => v !== 0).length).toBe(at.filter(({ value }) => value !== 0).length);
    backbone.release();
  });
});

describe.each<[string, TinyModel]>([
  [
    "Llama in F32, sizes that are no multiple of a row's padding",
    { family: "llama", config: { hidden_size: 20, head_dim: 6, intermediate_size: 27 } },
  ],
  ["Llama in F16", { family: "llama", dtype: "F16" }],
  ["Qwen2 in BF16", { family: "qwen2", dtype: "BF16" }],
  ["Qwen3 in F64", { family: "qwen3", dtype: "F64" }],
  [
    "Llama whose q, k and v differ in dtype",
    {
      family: "llama",
      dtype: (role) => (role === "q.weight" ? "F32" : role === "k.weight" ? "F16" : "BF16"),
    },
  ],
  ["GPT-2 in F16", { family: "gpt2", dtype: "F16" }],
  [
    "GPT-2 in BF16, of odd widths",
    { family: "gpt2", dtype: "BF16", config: { n_embd: 18, n_head: 3, n_inner: 35 } },
  ],
])("%s", (_, model) => {
  it("hidden states as the float64 reference on the same rounded weights", async () => {
    const dir = await tinyModel(model);
    const backbone = await load(dir);
    const weights = readModelFolder(dir);
    const sequences = [[1, 5, 9, 39, 0, 0, 17, 8, 21], [3], [7, 7, 7, 30]];
    const states = await gpuForward(backbone, sequences);
    backbone.release();
    for (const [i, ids] of sequences.entries()) {
      const { hiddenStates } = referenceForward(backbone.config, weights, ids);
      for (const [layer, truth] of hiddenStates.entries())
        expect(relativeError(states[i]?.hiddenStates[layer] ?? [], truth)).toBeLessThan(1e-5);
    }
  });
});

describe("what cannot be loaded is refused", () => {
  const message = (dir: string) =>
    RewardModel.load(device(), dir).then(
      (model) => {
        model.release();
        return "no error";
      },
      (error: unknown) => {
        expect(error).toBeInstanceOf(InputError);
        return error instanceof Error ? error.message : "";
      },
    );
  const folder = (json: unknown) => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, "config.json"), typeof json === "string" ? json : JSON.stringify(json));
    return dir;
  };

  it("a Hub name, a missing folder, a file", async () => {
    expect(await message("some-org/some.model-1B")).toMatch(
      /no folder some-org\/some\.model-1B.*\n +hf download some-org\/some\.model-1B --local-dir/,
    );
    expect(await message("/no/such/folder")).toMatch(/no folder \/no\/such\/folder; give a model's folder/);
    const dir = temporaryFolder();
    writeFileSync(join(dir, "model.safetensors"), "");
    expect(await message(join(dir, "model.safetensors"))).toMatch(/is a file; give the model's folder/);
    expect(await message(dir)).toMatch(/config\.json cannot be read/);
  });

  it("a config that is no JSON, an unknown family, a config without weights", async () => {
    expect(await message(folder("{"))).toMatch(/config\.json is no JSON/);
    expect(await message(folder({ model_type: "mamba" }))).toMatch(/model_type = "mamba" is not implemented/);
    expect(await message(folder({ model_type: "gpt2" }))).toMatch(/safetensors/);
  });

  it("missing tensors, by name", async () => {
    const dir = await tinyModel({ family: "llama" });
    rmSync(join(dir, "model.safetensors"));
    await writeSafetensors(join(dir, "model.safetensors"), [
      { name: "model.norm.weight", dtype: "F32", shape: [24], data: () => new Uint8Array(96) },
    ]);
    expect(await message(dir)).toMatch(
      /llama-\d+: the checkpoint lacks \d+ of the tensors .*model\.embed_tokens\.weight/,
    );
  });

  it("a shape that is not the config's", async () => {
    const dir = await tinyModel({ family: "qwen2" });
    const other = await tinyModel({ family: "qwen2", config: { intermediate_size: 28 } });
    rmSync(join(dir, "config.json"));
    writeFileSync(join(dir, "config.json"), JSON.stringify((await openedConfig(other)).raw));
    expect(await message(dir)).toMatch(
      /gate_proj\.weight has shape \[36, 24\], but config\.json asks for \[28, 24\]/,
    );
  });

  it("weights that are integers", async () => {
    const dir = await tinyModel({ family: "llama" });
    const tensors = readModelFolder(dir);
    await writeSafetensors(
      join(dir, "model.safetensors"),
      [...tensors].map(([name, { shape, data }]) => ({
        name,
        dtype: "I32",
        shape,
        data: () => new Uint8Array(4 * data.length),
      })),
    );
    expect(await message(dir)).toMatch(/stored as I32; weights must be F32, F16, BF16 or F64/);
  });

  it("a model without a head, unless a random one is asked for", async () => {
    expect(await message(realModel("stories260k"))).toMatch(/no reward head .*--init-head normal/);
    const reward = async (seed: number) => {
      using model = await RewardModel.load(device(), realModel("stories260k"), { initHead: "normal", seed });
      return (await model.score(["Once upon a time"]))[0];
    };
    expect(await reward(3)).toBe(await reward(3));
    expect(await reward(3)).not.toBe(await reward(4));
  });

  it("what does not fit the memory budget, by the tensor's name; nothing stays behind", async () => {
    const dir = await tinyModel({ family: "llama" });
    using gpu = await openGpu({ memoryBudget: 16 * 1024 });
    const loading = RewardModel.load(gpu, dir);
    await expect(loading).rejects.toBeInstanceOf(OutOfMemoryError);
    await expect(loading).rejects.toThrow(
      /^layer \d (qkv|out|up|down).* needs .*budget of 16 KiB.*--memory-budget/,
    );
    expect(gpu.memory.live).toBe(0);
  });

  it("a text that a device's bindings are too small for; nothing stays behind either", async () => {
    const dir = await tinyModel({ family: "llama" });
    using gpu = await openGpu({ limits: { maxBinding: 1024 } });
    const model = await RewardModel.load(gpu, dir);
    const long = { sequences: [new Int32Array(17)] };
    await expect(model.scoreItems([long])).rejects.toThrow(/this device binds 1 KiB at once/);
    model.release();
    expect(gpu.memory.live).toBe(0);
  });
});

async function openedConfig(dir: string) {
  await using folder = await openModelFolder(dir);
  return folder.config;
}
