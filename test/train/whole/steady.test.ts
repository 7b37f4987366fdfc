/** @file After a whole model's first step the device gives out nothing new, whatever the steps hold, but command encoders. */
import { join } from "node:path";
import { expect, it, vi } from "vitest";
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

/** What makes an object of the device's. */
const makers = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createPipelineLayout",
  "createShaderModule",
  "createComputePipeline",
  "createComputePipelineAsync",
  "createQuerySet",
] as const;

it.each(Object.entries(runs))("%s: nothing but command encoders", async (_, [model, options]) => {
  const counts: string[] = [];
  const { device } = gpu();
  const made = makers.map((name) => vi.spyOn(device, name));
  const encoders = vi.spyOn(device, "createCommandEncoder");
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
  const { submits } = gpu().recorder.stats;
  await train(gpu(), arguments_, {
    note: () => {},
    trained: () => {
      const { memory, recorder } = gpu();
      const own = `${memory.buffersCreated} buffers, ${recorder.stats.bindGroupsCreated} groups`;
      // The first reading of metrics makes the buffer that all later ones are mapped in.
      counts.push([own, ...made.map(({ mock }, i) => `${makers[i]} ${mock.calls.length}`)].join(", "));
      // One for each submit, and nothing that is submitted is empty.
      expect(encoders.mock.calls.length).toBe(recorder.stats.submits - submits);
    },
  });
  // Five steps an epoch, the last of two pairs.
  expect(counts.length).toBe(10);
  expect(counts).toEqual(new Array(10).fill(counts[0]));
  expect(counts[0]).toMatch(/createBuffer [1-9]/); // the counters count
  vi.restoreAllMocks();
});
