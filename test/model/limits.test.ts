/** @file The same models where the device is small: bindings of a few KiB, few workgroups, no optional features. */
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { type Gpu, type OpenOptions, openGpu } from "../../src/gpu/gpu.ts";
import { relativeError } from "../reference/error.ts";
import { referenceForward } from "../reference/forward.ts";
import { readModelFolder } from "../reference/safetensors.ts";
import { useGpu } from "../support/gpu.ts";
import { type TinyModel, tinyModel } from "./tiny-model.ts";

const KIB = 1024;
const usual = useGpu();

const devices: readonly (readonly [string, OpenOptions])[] = [
  ["bindings of 28 KiB", { limits: { maxBinding: 28 * KIB } }],
  ["at most 12 workgroups in a dimension", { limits: { maxWorkgroups: 12 } }],
  [
    "no optional features",
    { exclude: ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"], variants: {} },
  ],
];

// Embeddings, and the linear weights of the wide ones, are larger than 28 KiB; no activation of 64 rows is.
const models: readonly (readonly [string, TinyModel])[] = [
  [
    "llama",
    {
      family: "llama",
      config: {
        vocab_size: 2000,
        hidden_size: 104,
        head_dim: 8,
        num_key_value_heads: 1,
        intermediate_size: 44,
      },
    },
  ],
  ["qwen2 in BF16", { family: "qwen2", dtype: "BF16", config: { vocab_size: 3001 } }],
  ["gpt2 in F16", { family: "gpt2", dtype: "F16", config: { vocab_size: 1500, n_positions: 900 } }],
];

const sequences = Array.from({ length: 7 }, (_, n) =>
  Int32Array.from({ length: 1 + 8 * n }, (_, p) => (211 * (p + 1) * (n + 3)) % 1500),
);

describe.each(models)("%s", (_, spec) => {
  const rewardsOn = async (gpu: Gpu, dir: string) => {
    using model = await RewardModel.load(gpu, dir);
    const scored = await model.scoreItems(sequences.map((ids) => ({ sequences: [ids] })));
    return scored.map(([only]) => only?.reward ?? Number.NaN);
  };

  it.each(devices)("%s", async (_, options) => {
    const dir = await tinyModel(spec);
    using gpu = await openGpu(options);
    const rewards = await rewardsOn(gpu, dir);
    // Windows and folded grids change where work is done, never its order.
    if (options.limits !== undefined) expect(rewards).toEqual(await rewardsOn(usual(), dir));
    using model = await RewardModel.load(usual(), dir);
    const weights = readModelFolder(dir);
    const truth = sequences.map(
      (ids) => referenceForward(model.config, weights, ids).rewards?.at(-1) ?? Number.NaN,
    );
    expect(relativeError(rewards, truth)).toBeLessThan(1e-5);
  });
});
