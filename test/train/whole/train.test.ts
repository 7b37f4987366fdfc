/**
 * @file More than the head learns, on tiny data: the loss falls, what is saved gives its closing rewards again bit for
 * bit, and a run that was stopped ends at the bytes of one that was not.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../../src/audit/reward-model.ts";
import type { KeptModel } from "../../../src/train/closing.ts";
import type { TrainArguments } from "../../../src/train/options.ts";
import { train } from "../../../src/train/train.ts";
import { type TinyModel, temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";
import { expectSameRun, resumed, stoppedAt } from "../state/runs.ts";

const gpu = useGpu();
const held = idPairs(9);
const heldItems = held.map((r) => ({
  sequences: [r.chosen_ids, r.rejected_ids].map((ids) => Int32Array.from([...r.prompt_ids, ...ids])),
}));

const trainables = ["full", "lora"] as const;
const bases: readonly [string, TinyModel][] = [
  ["llama in BF16", { family: "llama", architecture: "causal-lm", dtype: "BF16" }],
  ["gpt2 in F16, bare", { family: "gpt2", architecture: "bare", dtype: "F16", unprefixed: true }],
];

/** `rmtrain score` gives the same rewards. */
async function expectScored(base: string, trainable: string, kept: Pick<KeptModel, "dir" | "rewards">) {
  using model = await (trainable === "lora"
    ? RewardModel.load(gpu(), base, { adapter: kept.dir })
    : RewardModel.load(gpu(), kept.dir));
  const scored = await model.scoreItems(heldItems, { batchTokens: 16 });
  expect(scored.map((pair) => pair.map((s) => s.reward))).toEqual(
    kept.rewards.map((r) => [r.chosen, r.rejected]),
  );
}

describe.each(trainables)("--trainable %s", (trainable) => {
  it.each(bases)("%s: the loss falls; best and last give their rewards again", async (_, spec) => {
    const base = await tinyModel(spec);
    const result = await run(gpu(), {
      model: base,
      data: jsonl(idPairs(24)),
      evalData: jsonl(held, "held.jsonl"),
      trainable,
      lr: trainable === "full" ? 0.01 : 0.03,
      epochs: 6,
      logEvery: 3,
      batchTokens: 40,
    });
    const losses = metricsOf(result.out).flatMap((line) => line.loss ?? []);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
    expect(existsSync(join(result.out, "model.safetensors"))).toBe(trainable === "full");
    await expectScored(base, trainable, { dir: result.out, rewards: result.rewards });
    if (result.last !== undefined) await expectScored(base, trainable, result.last);
    expect(result.counts.computed).toBeGreaterThan(0);
    expect(result.notes.join()).toMatch(/Learning: \d+(,\d+)* parameters \(--trainable (full|lora)\)/);
  });

  it("on weights that are saved as they are, the closing evaluation is the loop's own", async () => {
    const base = await tinyModel({ family: "llama", architecture: "bare", dtype: "F32" });
    const evalData = jsonl(held, "held.jsonl");
    const options = { model: base, data: jsonl(idPairs(24)), evalData, trainable, lr: 0.02, evalSteps: 2 };
    const result = await run(gpu(), { ...options, seed: 4 });
    const line = metricsOf(result.out).find((l) => "eval_loss" in l && l.step === result.savedStep);
    expect(result.evaluation?.metrics.loss).toBe(line?.eval_loss);
    expect(result.evaluation?.metrics.max_reward).toBe(line?.eval_max_reward);
  });

  it("20 steps equal 10 and 10 more, byte for byte", async () => {
    const options = {
      model: await tinyModel({ family: "llama", architecture: "bare" }),
      data: jsonl(idPairs(30)),
      trainable,
      lr: 0.003,
      ...(trainable === "lora" ? { loraDropout: 0.2, loraR: 3 } : {}),
      batchSize: 5,
      gradientAccumulationSteps: 2,
      batchTokens: 32,
      maxSteps: 20,
      evalSteps: 7,
      logEvery: 4,
      saveEvery: 10,
    } as const satisfies Partial<TrainArguments>;
    const [whole, cut] = [join(temporaryFolder(), "out"), join(temporaryFolder(), "out")];
    await train(gpu(), { ...options, out: whole });
    await stoppedAt(gpu(), { ...options, out: cut }, 10);
    await resumed(gpu(), { ...options, out: cut });
    expectSameRun(cut, whole);
  });
});
