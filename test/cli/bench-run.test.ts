/** @file `rmtrain bench --train` and `--score`: what they tell, and that it follows from what they measured. */
import { expect, it } from "vitest";
import { runBench } from "../../src/cli/bench-run.ts";
import type { RunResult } from "../../src/train/bench/end-to-end.ts";
import { rmtrain } from "./run-rmtrain.ts";

const tiny = ["--hidden", "16", "--layers", "2", "--heads", "2", "--intermediate", "24", "--vocab", "40"];
const batch = ["--length", "8", "--batch", "2"];

it("--train --json: rates of the shape that was asked for", async () => {
  const { code, out, err } = await rmtrain(["bench", "--train", ...tiny, ...batch, "--no-growth", "--json"]);
  expect(code, err).toBe(0);
  const run = JSON.parse(out) as RunResult & { readonly adapter: string; readonly date: string };
  expect(run.adapter).not.toBe("");
  expect(run.date).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(run.shape).toMatchObject({ hidden: 16, layers: 2, heads: 2, kvHeads: 2, vocabulary: 40, length: 8 });
  expect(run.tokens).toBe(2 * 2 * 8);
  expect(run.tokensPerSecond).toBeCloseTo(run.tokens / run.seconds, 6);
  expect(run.share).toBeCloseTo(run.flopsPerSecond / run.ceiling, 9);
  expect(run.hostShare).toBeCloseTo(run.hostSeconds / run.seconds, 9);
  expect(run.made).toBe(0);
  expect(run.peakBytes / run.predictedBytes).toBeCloseTo(1, 1);
  expect(run.growth).toEqual([]);
});

it("--score prints Markdown with the growth of each size", async () => {
  const { code, out, err } = await rmtrain(["bench", "--score", ...tiny, "--length", "4", "--batch", "2"]);
  expect(code, err).toBe(0);
  expect(out).toContain("| share of the ceiling |");
  const rows = [
    ...out.matchAll(/^\| (length|batch|layers|vocabulary) \| ([\d, ]+) \| .* \| (-?[\d.]+) \|$/gm),
  ];
  expect(rows.map(([, axis, sizes]) => `${axis} ${sizes}`)).toEqual([
    "length 1, 2, 4",
    "batch 1, 2",
    "layers 1, 2",
    "vocabulary 10, 20, 40",
  ]);
});

it("refuses a shape that no model has, by name, and both runs at once", async () => {
  const flags = {
    memoryBudget: 2 ** 30,
    precision: "f32",
    dtype: "f32",
    objective: "bt",
    batchTokens: 64,
    growth: false,
  } as const;
  await expect(runBench({ ...flags, score: true, hidden: 16, heads: 2, kvHeads: 3 })).rejects.toThrow(
    "num_key_value_heads (3)",
  );
  await expect(runBench({ ...flags, train: true, score: true })).rejects.toThrow("--train and --score");
});
