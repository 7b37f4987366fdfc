/** @file The two models that a run leaves, the best and the last: both load, and both give their closing rewards again. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import type { KeptModel } from "../../src/train/closing.ts";
import { isBetter } from "../../src/train/state/progress.ts";
import { train } from "../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "./records.ts";

const gpu = useGpu();
const held = idPairs(11);

async function expectScored({ dir, rewards }: Pick<KeptModel, "dir" | "rewards">): Promise<void> {
  using model = await RewardModel.load(gpu(), dir);
  const items = held.map((r) => ({
    sequences: [r.chosen_ids, r.rejected_ids].map((ids) => Int32Array.from([...r.prompt_ids, ...ids])),
  }));
  const scored = await model.scoreItems(items, { batchTokens: 16 });
  expect(scored.map((pair) => pair.map((s) => s.reward))).toEqual(rewards.map((r) => [r.chosen, r.rejected]));
}

it("the best by accuracy stands in the folder, the last below it; score repeats the rewards of both", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const evalData = jsonl(held, "held.jsonl");
  const result = await run(gpu(), { model, data: jsonl(idPairs(30)), evalData, lr: 0.5, epochs: 6 });
  const last = result.last ?? expect.fail("the best is the last: choose other options");
  const evals = metricsOf(result.out).filter((line) => "eval_loss" in line);
  const score = (line: Record<string, number> | undefined) => ({
    accuracy: line?.eval_accuracy ?? Number.NaN,
    loss: line?.eval_loss ?? Number.NaN,
  });
  const best = evals.find((line) => line.step === result.savedStep);
  for (const line of evals) if (line !== best) expect(isBetter(score(line), score(best))).toBe(false);
  expect(result.evaluation?.accuracy.accuracy).toBe(best?.eval_accuracy);
  expect(last).toMatchObject({ dir: join(result.out, "last"), step: result.totalSteps });
  expect(last.evaluation?.metrics.loss).toBe(evals.at(-1)?.eval_loss);
  expect(last.rewards).not.toEqual(result.rewards);
  await expectScored({ dir: result.out, rewards: result.rewards });
  await expectScored(last);
});

it("where the best is the last, and without evaluation, there is no second model", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const common = { model, data: jsonl(idPairs(30)), maxSteps: 3 };
  const evaluated = { ...common, evalData: jsonl(held, "held.jsonl"), evalSteps: 3 };
  for (const options of [{ ...common, evalSplit: 0 }, evaluated]) {
    const out = join(temporaryFolder(), "out");
    const { last, savedStep, lastStep } = await train(gpu(), { ...options, out });
    expect([last, savedStep, lastStep]).toEqual([undefined, 3, 3]);
    expect(existsSync(join(out, "last"))).toBe(false);
  }
});

it("better: by accuracy, then by loss, and an equal one is not", () => {
  const best = { accuracy: 0.5, loss: 0.6 };
  expect(isBetter({ accuracy: 0.6, loss: 9 }, best)).toBe(true);
  expect(isBetter({ accuracy: 0.5, loss: 0.5 }, best)).toBe(true);
  expect(isBetter({ accuracy: 0.5, loss: 0.6 }, best)).toBe(false);
  expect(isBetter({ accuracy: 0.4, loss: 0 }, best)).toBe(false);
  expect(isBetter({ accuracy: Number.NaN, loss: 0 }, best)).toBe(false);
  expect(isBetter({ accuracy: Number.NaN, loss: 0.1 }, { accuracy: Number.NaN, loss: 0.2 })).toBe(true);
  expect(isBetter({ accuracy: 0, loss: 9 }, { accuracy: Number.NaN, loss: 0.2 })).toBe(true);
  expect(isBetter({ accuracy: 0, loss: 9 }, undefined)).toBe(true);
});
