/**
 * @file Training in the tensor-core class, emulated: it learns as f32 does, the run and the checkpoint name the class, what
 * is saved gives its rewards again in it, and what f16 can't hold stops it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RewardModel } from "../../../src/audit/reward-model.ts";
import { InputError } from "../../../src/errors.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";

const halves = useGpu({ precision: "f16-emulated" });
const singles = useGpu();
const precision = "f16-emulated";
const held = idPairs(9);
const sequences = held.map((r) => ({
  sequences: [r.chosen_ids, r.rejected_ids].map((ids) => Int32Array.from([...r.prompt_ids, ...ids])),
}));
const learning = { batchTokens: 40, logEvery: 3, maxSteps: 9, lr: 0.01 } as const;
const parsed = (...path: string[]) => JSON.parse(readFileSync(join(...path), "utf8"));

it.each(["full", "lora"] as const)("--trainable %s learns as in f32, with other bits", async (trainable) => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm", dtype: "BF16" });
  const options = {
    ...learning,
    model,
    data: jsonl(idPairs(24)),
    evalData: jsonl(held, "held.jsonl"),
    trainable,
    ...(trainable === "lora" ? { loraR: 8, lr: 0.03 } : {}),
  };
  const [plain, result] = [
    await run(singles(), options),
    await run(halves(), { ...options, precision }),
  ] as const;
  const [expected, losses] = [plain.out, result.out].map((out) =>
    metricsOf(out).flatMap((line) => line.loss ?? []),
  ) as [number[], number[]];
  expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
  expect(losses).not.toEqual(expected);
  for (const [i, loss] of losses.entries())
    expect(Math.abs(loss / expected[i]! - 1), `line ${i}`).toBeLessThan(0.02);

  expect(parsed(result.out, "run.json").options.precision).toBe(precision);
  expect(parsed(plain.out, "run.json").options.precision).toBe("f32");
  const folder = trainable === "full" ? { dir: result.out } : { dir: model, adapter: result.out };
  using again = await RewardModel.load(halves(), folder.dir, { adapter: folder.adapter });
  expect(again.recipe.precision).toBe(precision);
  const rewards = result.rewards.map((r) => [r.chosen, r.rejected]);
  const scores = async (scorer: RewardModel) =>
    (await scorer.scoreItems(sequences, { batchTokens: 16 })).map((pair) => pair.map((s) => s.reward));
  expect(await scores(again)).toEqual(rewards);
  using other = await RewardModel.load(singles(), folder.dir, { adapter: folder.adapter });
  expect(await scores(other)).not.toEqual(rewards);
});

it("a checkpoint trained in f32 says nothing of precision", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const { out } = await run(singles(), { ...learning, model, data: jsonl(idPairs(9)), maxSteps: 1 });
  await using folder = await openModelFolder(out);
  expect("precision" in folder.recipe).toBe(false);
});

it("a reward alone has the bits that it has in a batch, at every prefix", async () => {
  using model = await RewardModel.load(halves(), await tinyModel({ family: "qwen2" }));
  const together = await model.scoreItems(sequences, { batchTokens: 150, perToken: true });
  for (const [i, pair] of together.entries()) {
    for (const [n, { perToken, reward }] of pair.entries()) {
      const ids = sequences[i]!.sequences[n]!;
      const [[alone] = []] = await model.scoreItems([{ sequences: [ids] }], { perToken: true });
      expect(alone?.perToken).toEqual(perToken);
      expect(alone?.reward).toBe(reward);
    }
  }
});

it("features of one class are not used in another", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const options = {
    model,
    data: jsonl(idPairs(12)),
    maxSteps: 1,
    featureCache: join(temporaryFolder(), "cache"),
  };
  await run(singles(), options);
  expect((await run(singles(), options)).cached).toBeGreaterThan(0);
  expect((await run(halves(), { ...options, precision })).cached).toBe(0);
});

it("what f16 can't hold is Inf, and stops training", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare", gain: 1e5 });
  const options = { ...learning, model, data: jsonl(idPairs(9)), evalSplit: 0, trainable: "full" as const };
  using plain = await RewardModel.load(singles(), model, { initHead: "normal" });
  const rewards = (await plain.scoreItems(sequences)).flat().map((s) => s.reward);
  expect(rewards.every(Number.isFinite)).toBe(true);
  await expect(run(halves(), { ...options, precision })).rejects.toThrow(
    /not finite at step 1; .* With --precision f16-emulated, what lies beyond 65,504 in a linear layer is Inf too; --precision f32 shows/,
  );
});

it("a device of another class is refused", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const failed = await run(halves(), { model, data: jsonl(idPairs(9)) }).catch((e: unknown) => e);
  expect(failed).toBeInstanceOf(InputError);
  expect(String(failed)).toMatch(/precision is f32, but the device was opened for f16-emulated/);
});
