/** @file What training says of the held-out pairs is what the saved checkpoint scores, bit for bit. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RewardModel, readScoreLines, ScoreReport, scoreStream, train } from "../../src/index.ts";
import { type TinyModel, temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";

const device = useGpu();

/** Pairs that share prompts, some of them the same prompt; the greater last id is preferred. */
function pairs(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const prompt_ids = Array.from({ length: i % 7 }, (_, j) => (3 * i + j) % 40);
    const body = Array.from({ length: 1 + (i % 3) }, (_, j) => (5 * i + 2 * j) % 40);
    return { prompt_ids, chosen_ids: [...body, 20 + (i % 20)], rejected_ids: [...body, i % 20, i % 20] };
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

it.each<[string, TinyModel]>([
  ["llama in BF16", { family: "llama", architecture: "causal-lm", dtype: "BF16" }],
  [
    "gpt2 in F16, bare, without prefix",
    { family: "gpt2", architecture: "bare", dtype: "F16", unprefixed: true },
  ],
])("%s", async (_, spec) => {
  const folder = temporaryFolder();
  const [data, evalData] = [join(folder, "train.jsonl"), join(folder, "eval.jsonl")];
  writeFileSync(data, pairs(24));
  writeFileSync(evalData, pairs(11));
  const out = join(folder, "out");
  const result = await train(device(), {
    model: await tinyModel(spec),
    data,
    evalData,
    out,
    epochs: 2,
    batchSize: 8,
  });

  using model = await RewardModel.load(device(), out);
  expect(model.recipe).toMatchObject({ addEos: false, readPosition: "last" });
  const report = new ScoreReport(model);
  const scored = [];
  for await (const window of scoreStream(model, readScoreLines(evalData), report, { window: 4 }))
    scored.push(...window);
  expect(result.rewards.length).toBe(11);
  expect(scored).toEqual(
    result.rewards.map(({ chosen, rejected }) => ({
      reward_chosen: chosen,
      reward_rejected: rejected,
      margin: chosen - rejected,
    })),
  );
  expect(report.summary().pairs?.accuracy).toBe(result.evaluation?.accuracy.accuracy);
  expect(report.warnings()).toEqual([]);
});
