/** @file A whole model's number that stops being finite: the step and its rows are named, and the last good weights stay. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RmtrainError } from "../../../src/errors.ts";
import { readState } from "../../../src/train/state/checkpoint.ts";
import { train } from "../../../src/train/train.ts";
import { allFinite } from "../../../src/train/trainer.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl } from "../records.ts";

const gpu = useGpu();
const common = {
  batchSize: 8,
  batchTokens: 40,
  shuffle: false,
  evalSplit: 0,
  logEvery: 10,
  saveEvery: 1,
} as const;

it.each(["full", "lora"] as const)(
  "%s: a margin past f32 names its row, the step and the last state; nothing of that step is written",
  async (trainable) => {
    const model = await tinyModel({ family: "llama", architecture: "bare" });
    const out = join(temporaryFolder(), "out");
    const data = jsonl(idPairs(24).map((r, i) => (i === 20 ? { ...r, margin: 1e39 } : r)));
    const options = { ...common, model, data, out, trainable, lr: 0.003, epochs: 2 };
    const failed: unknown = await train(gpu(), options).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(RmtrainError);
    expect(String(failed)).toMatch(
      /not finite at step 3; .*the weights of step 2, and the last saved state, which is good, is .*checkpoint-2\. Of that step's 8 pairs, the worst .*: .*data\.jsonl:21 \(loss not finite, margin 1e\+39\), .*data\.jsonl:\d+ \(loss \d/,
    );
    expect(readdirSync(out).sort()).toEqual(["checkpoint-1", "checkpoint-2", "run.json"]);
    const { state, progress } = await readState(join(out, "checkpoint-2"));
    expect(progress.step).toBe(2);
    expect([state.weights, state.m, state.v].every(allFinite)).toBe(true);
  },
);

it("the bad step is latched: steps after it change nothing, and nothing is logged of them", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const out = join(temporaryFolder(), "out");
  const data = jsonl(idPairs(24).map((r, i) => (i === 12 ? { ...r, margin: 1e39 } : r)));
  const options = {
    ...common,
    model,
    data,
    out,
    trainable: "full",
    lr: 0.003,
    saveEvery: 100,
    logEvery: 3,
  } as const;
  await expect(train(gpu(), { ...options, epochs: 2 })).rejects.toThrow(
    /not finite at step 2; training stopped there with the weights of step 1, and no state had been saved yet/,
  );
  expect(readdirSync(out)).toEqual(["run.json"]);
});

it("a rate that takes the weights past f32 is told by its step", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const out = join(temporaryFolder(), "out");
  const options = { ...common, model, out, data: jsonl(idPairs(24)), trainable: "full" } as const;
  await expect(
    train(gpu(), { ...options, lr: 1e38, maxGradNorm: 0, warmupSteps: 0, schedule: "constant", epochs: 2 }),
  ).rejects.toThrow(/not finite at step [12]; training stopped there with the weights of step [01]/);
});
