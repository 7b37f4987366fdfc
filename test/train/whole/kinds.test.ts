/** @file Single labels and ranked lists: whole models learn from them, and their closing rewards come again from `score`. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RewardModel } from "../../../src/audit/reward-model.ts";
import type { Example } from "../../../src/train/example-sets.ts";
import type { TrainArguments } from "../../../src/train/options.ts";
import { train } from "../../../src/train/train.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "../records.ts";
import { expectSameRun, resumed, stoppedAt } from "../state/runs.ts";

const gpu = useGpu();

/** Two rows of each pair. */
const rows = (count: number) =>
  idPairs(count).flatMap(({ prompt_ids, chosen_ids, rejected_ids }) => [
    { prompt_ids, completion_ids: chosen_ids, label: true },
    { prompt_ids, completion_ids: rejected_ids, label: false },
  ]);

/** Three or four replies; the better ones end in larger ids. */
const lists = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const ends = [25 + (i % 14), 14 + (i % 9), i % 9, ...(i % 2 ? [15 + (i % 8)] : [])];
    return {
      prompt_ids: [1 + (i % 20), 3],
      responses_ids: ends.map((id, j) => [...Array.from({ length: (i + j) % 3 }, () => 7), id]),
      ranks: i % 2 ? [0, 1, 2, 1] : [0, 1, 2],
    };
  });

const common = { lr: 0.01, epochs: 5, logEvery: 2, batchTokens: 48, batchSize: 8 } as const;
const kinds: readonly [string, Partial<TrainArguments>, unknown[], unknown[]][] = [
  ["kto, scalar", { objective: "kto", reward: "scalar" }, rows(12), rows(5)],
  ["plackett-luce", { loss: "plackett-luce" }, lists(18), lists(7)],
  ["lipo", { loss: "lipo" }, lists(18), lists(7)],
];

it.each(
  kinds.flatMap(([name, ...rest]) => (["full", "head"] as const).map((t) => [name, t, ...rest] as const)),
)(
  "%s, --trainable %s: the loss falls; the closing rewards are those of score",
  async (_, trainable, options, data, held) => {
    const model = await tinyModel({ family: "llama", architecture: "bare", dtype: "F32" });
    const result = await run(gpu(), {
      ...common,
      ...options,
      model,
      trainable,
      ...(trainable === "head" ? { lr: 0.05, epochs: 10 } : {}),
      data: jsonl(data),
      evalData: jsonl(held, "held.jsonl"),
    });
    const losses = metricsOf(result.out).flatMap((line) => line.loss ?? []);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    const { others } = result;
    const line = metricsOf(result.out).find((l) => "eval_loss" in l && l.step === result.savedStep);
    expect(others?.metrics.loss).toBe(line?.eval_loss);
    expect(others?.metrics.accuracy).toBe(line?.eval_accuracy);
    using scorer = await RewardModel.load(gpu(), result.out);
    const items = (result.dataset.eval?.examples ?? []).map((e: Example) => e.item);
    const scored = await scorer.scoreItems(items, { batchTokens: 20 });
    expect(others?.rewards.map((r) => r.rewards)).toEqual(scored.map((own) => own.map((s) => s.reward)));
  },
);

it.each(kinds.slice(0, 2))("%s: cut in two and resumed, the same bytes", async (_, options, data) => {
  const own = {
    ...common,
    ...options,
    model: await tinyModel({ family: "llama", architecture: "bare" }),
    trainable: "lora",
    data: jsonl(data),
    evalSplit: 0.2,
    maxSteps: 6,
    saveEvery: 3,
  } as const;
  const [whole, cut] = [join(temporaryFolder(), "out"), join(temporaryFolder(), "out")];
  await train(gpu(), { ...own, out: whole });
  await stoppedAt(gpu(), { ...own, out: cut }, 3);
  await resumed(gpu(), { ...own, out: cut });
  expectSameRun(cut, whole);
});

it("kto of an implicit reward: its reference sees the mismatched rows too, and the saved model gives the rewards again", async () => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm", dtype: "F32" });
  const result = await run(gpu(), {
    ...common,
    lr: 0.003,
    model,
    objective: "kto",
    trainable: "full",
    beta: 1,
    data: jsonl(rows(12)),
    evalData: jsonl(rows(5), "held.jsonl"),
  });
  const lines = metricsOf(result.out);
  const evals = lines.flatMap((line) => line.eval_loss ?? []);
  expect(evals.at(-1)).toBeLessThan(evals[0]!);
  const line = lines.find((l) => "eval_loss" in l && l.step === result.savedStep);
  expect(result.others?.metrics.loss).toBe(line?.eval_loss);
});

it("a step of one row is refused before any work", async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const options = { model, objective: "kto", reward: "scalar", trainable: "full", evalSplit: 0 } as const;
  const out = join(temporaryFolder(), "out");
  await expect(train(gpu(), { ...options, out, data: jsonl(rows(8)), batchSize: 5 })).rejects.toThrow(
    /--batch-size 5: of 16 rows the last step of an epoch would have one.*mismatched/,
  );
  expect(() => readdirSync(out)).toThrow();
});
