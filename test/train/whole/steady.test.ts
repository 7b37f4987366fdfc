/** @file After a whole model's first step the device gives out nothing new, whatever the steps hold. */
import { join } from "node:path";
import { expect, it } from "vitest";
import type { TrainArguments } from "../../../src/train/options.ts";
import { train } from "../../../src/train/train.ts";
import { type TinyModel, temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl } from "../records.ts";

const gpu = useGpu();

const causal = { family: "llama", architecture: "causal-lm" } as const;
const runs: Record<string, readonly [TinyModel, Partial<TrainArguments>]> = {
  "all weights": [
    { family: "gpt2", architecture: "bare" },
    { trainable: "full", gradientCheckpointing: true },
  ],
  "low-rank updates with dropout": [
    { family: "qwen3", architecture: "bare", dtype: "BF16" },
    { trainable: "lora", loraDropout: 0.1, loraR: 3 },
  ],
  "implicit rewards": [causal, { trainable: "lora", objective: "dpo", loraR: 2 }],
};

it.each(Object.entries(runs))("%s: no buffer and no bind group", async (_, [model, options]) => {
  const counts: string[] = [];
  const arguments_ = {
    model: await tinyModel(model),
    data: jsonl(idPairs(26)),
    out: join(temporaryFolder(), "out"),
    evalSplit: 0,
    batchSize: 6,
    // Two micro-batches in most steps.
    batchTokens: 40,
    epochs: 2,
    logEvery: 1,
    saveEvery: 100,
    ...options,
  };
  await train(gpu(), arguments_, {
    note: () => {},
    trained: () => {
      const { memory, recorder } = gpu();
      counts.push(`${memory.buffersCreated} buffers, ${recorder.stats.bindGroupsCreated} groups`);
    },
  });
  // Five steps an epoch, the last of two pairs.
  expect(counts.length).toBe(10);
  expect(counts).toEqual(new Array(10).fill(counts[0]));
});
