/** @file What a command dispatches has been built before, in parallel: nothing at its first dispatch, while the device waits. */
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { ImplicitModel } from "../../src/audit/implicit-model.ts";
import { RewardModel } from "../../src/audit/reward-model.ts";
import type { ScoreOptions, Scorer } from "../../src/audit/scorer.ts";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";
import { train } from "../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { idPairs, jsonl } from "./records.ts";

const causal = { family: "llama", architecture: "causal-lm" } as const;

/** Of one batch each, of few rows and of many: lengths of texts. */
const batches = [[30, 40, 7], [1], [12], [5], new Array<number>(17).fill(2)];

async function score(model: Scorer, options: ScoreOptions = {}): Promise<void> {
  for (const lengths of batches) {
    const items = lengths.map((length) => {
      const ids = Array.from({ length }, (_, i) => (length + 3 * i) % 19);
      const reply = Math.floor(length / 2);
      return model.tokenise(
        { kind: "ids", prompt: ids.slice(0, reply), replies: [ids.slice(reply)] },
        `${length} ids`,
      );
    });
    await model.scoreItems(items, options);
  }
}

async function scored(gpu: Gpu): Promise<void> {
  using model = await RewardModel.load(gpu, await tinyModel({ family: "gpt2" }));
  for (const perToken of [true, false]) await score(model, { perToken });
}

async function implicit(gpu: Gpu): Promise<void> {
  const reference = await tinyModel(causal);
  using model = await ImplicitModel.load(gpu, await tinyModel({ ...causal, dtype: "BF16" }), { reference });
  await score(model);
}

const trained = (options: object) => async (gpu: Gpu) => {
  const data = jsonl(idPairs(26));
  const model = await tinyModel({ ...causal, dtype: "BF16" });
  const out = join(temporaryFolder(), "out");
  const run = { model, data, out, evalSplit: 0.3, batchSize: 4, epochs: 1, ...options };
  await train(gpu, run, { note() {} });
};

it.each([
  ["scoring, with and without the rewards of prefixes", scored],
  ["implicit rewards", implicit],
  ["training of a head", trained({ trainable: "head" })],
  ["training of a head on single labels", trained({ trainable: "head", objective: "kto" })],
  ["training of low-rank updates", trained({ trainable: "lora" })],
  ["training of all weights by implicit rewards", trained({ trainable: "full", objective: "dpo" })],
])("%s", async (_, work) => {
  using gpu = await openGpu({ variants: {} });
  const late = vi.spyOn(gpu.device, "createComputePipeline");
  const ahead = vi.spyOn(gpu.device, "createComputePipelineAsync");
  await work(gpu);
  expect(late.mock.calls.map(([{ label }]) => label)).toEqual([]);
  expect(ahead.mock.calls.length).toBeGreaterThan(5);
  expect(gpu.pipelines.size).toBe(ahead.mock.calls.length);
});
