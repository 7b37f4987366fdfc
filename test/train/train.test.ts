/** @file Whole runs on tiny models and records of ids: what is written, from which head, and that it comes out again. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { readHead } from "../../src/model/reward-head.ts";
import { initialHead } from "../../src/train/head-init.ts";
import { type TinyModel, tinyModel } from "../model/tiny-model.ts";
import { goldenModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "./records.ts";

const gpu = useGpu();
const data = () => jsonl(idPairs(30));
const bare = () => tinyModel({ family: "llama", architecture: "bare" });

async function headOf(dir: string): Promise<Float32Array> {
  await using folder = await openModelFolder(dir);
  return (await readHead(folder)) ?? expect.fail(`${dir} has no head`);
}

it("same seed, data and adapter: the same bytes; another seed, other weights", async () => {
  const options = { model: await bare(), data: data(), logEvery: 1 };
  const [first, again, other] = [
    await run(gpu(), options),
    await run(gpu(), { ...options, batchTokens: 50 }),
    await run(gpu(), { ...options, seed: 1 }),
  ];
  const names = ["config.json", "metrics.jsonl", "model.safetensors"];
  expect(readdirSync(first.out).sort()).toEqual([
    "README.md",
    "checkpoint-4",
    "checkpoint-8",
    "config.json",
    "last",
    ...names.slice(1),
    "report.html",
    "run.json",
  ]);
  const bytes = (out: string, name: string) => readFileSync(join(out, name));
  for (const name of names) expect(bytes(again.out, name).equals(bytes(first.out, name)), name).toBe(true);
  expect(bytes(other.out, "model.safetensors").equals(bytes(first.out, "model.safetensors"))).toBe(false);
  expect(again.rewards).toEqual(first.rewards);
});

it("metrics.jsonl has TRL's names, a line per --log-every steps and one per evaluation", async () => {
  const held = jsonl(idPairs(7), "held.jsonl");
  const { out, evaluation, savedStep, totalSteps } = await run(gpu(), {
    model: await bare(),
    data: data(),
    evalData: held,
    epochs: 3,
    logEvery: 5,
  });
  const lines = metricsOf(out);
  const training = lines.filter((line) => "loss" in line);
  expect(training.map((line) => line.step)).toEqual([5, 10, 12]);
  const names =
    "step epoch loss accuracy margin min_reward mean_reward max_reward grad_norm learning_rate num_tokens";
  for (const line of training) expect(Object.keys(line).sort()).toEqual(names.split(" ").sort());
  const evals = lines.filter((line) => "eval_loss" in line);
  expect(evals.map((line) => line.step)).toEqual([4, 8, 12]);
  const evalNames =
    "step epoch eval_loss eval_accuracy eval_margin eval_min_reward eval_mean_reward eval_max_reward";
  for (const line of evals) expect(Object.keys(line).sort()).toEqual(evalNames.split(" ").sort());
  const best = evals.find((line) => line.step === savedStep);
  expect(evaluation?.metrics.loss).toBe(best?.eval_loss);
  expect(Math.min(...evals.map((line) => line.eval_loss ?? Number.NaN))).toBe(best?.eval_loss);
  expect(evaluation?.accuracy.accuracy).toBe(best?.eval_accuracy);
  expect(totalSteps).toBe(12);
  const tokens = idPairs(30).reduce(
    (sum, r) => sum + 2 * r.prompt_ids.length + r.chosen_ids.length + r.rejected_ids.length,
    0,
  );
  expect(training.at(-1)?.num_tokens).toBe(3 * tokens);
});

describe("the head begins", () => {
  // A step of rate 0 leaves the head where it began.
  const still = { maxSteps: 1, lr: 0, evalSplit: 0, logEvery: 1 } as const;

  it("normal, by the seed, where the base has none", async () => {
    const [a, b] = [
      await run(gpu(), { ...still, model: await bare(), data: data() }),
      await run(gpu(), { ...still, model: await bare(), data: data(), seed: 5 }),
    ];
    expect(await headOf(a.out)).toEqual(initialHead("normal", undefined, 24, 0));
    expect(await headOf(b.out)).toEqual(initialHead("normal", undefined, 24, 5));
    expect(a.evaluation).toBeUndefined();
    expect(a.rewards).toEqual([]);
  });

  it("with the checkpoint's own, unless zeros or normal are asked for", async () => {
    const model = await tinyModel({ family: "llama" });
    const own = await headOf(model);
    const kept = await run(gpu(), { ...still, model, data: data() });
    expect(await headOf(kept.out)).toEqual(own);
    const trained = await run(gpu(), { ...still, lr: 1e-3, warmupSteps: 0, model, data: data() });
    const moved = (await headOf(trained.out)).map((w, i) => Math.abs(w - own[i]!));
    expect(Math.max(...moved)).toBeLessThan(1.1e-3);
    expect(Math.max(...moved)).toBeGreaterThan(0.9e-3);
    const normal = await run(gpu(), { ...still, model, data: data(), initHead: "normal" });
    expect(await headOf(normal.out)).toEqual(initialHead("normal", undefined, 24, 0));
  });

  it("with zeros: the first loss is ln 2, and nothing is ranked", async () => {
    const model = await tinyModel({ family: "llama" });
    const zeros = await run(gpu(), { ...still, batchSize: 4, model, data: data(), initHead: "zeros" });
    expect((await headOf(zeros.out)).every((w) => w === 0)).toBe(true);
    expect(metricsOf(zeros.out)[0]).toMatchObject({ loss: Math.fround(Math.LN2), accuracy: 0, margin: 0 });
  });
});

it("the normal head has mean 0 and standard deviation 1 / (H + 1)", () => {
  const head = initialHead("normal", undefined, 4095, 3);
  const mean = head.reduce((a, b) => a + b, 0) / 4095;
  const deviation = Math.sqrt(head.reduce((a, b) => a + (b - mean) ** 2, 0) / 4094);
  expect(Math.abs(deviation * 4096 - 1)).toBeLessThan(0.05);
  expect(Math.abs(mean * 4096)).toBeLessThan(0.08);
});

it.each<[string, () => Promise<string> | string]>([
  ["gpt2", () => tinyModel({ family: "gpt2", architecture: "causal-lm" } satisfies TinyModel)],
  ["the golden gpt2 in F16", () => goldenModel("gpt2")],
  ["the golden qwen2 in BF16 and two shards", () => goldenModel("qwen2")],
  ["the golden qwen3", () => goldenModel("qwen3")],
])("%s as base: the checkpoint loads and gives the closing rewards", async (_, make) => {
  const model = await make();
  const held = idPairs(9);
  const evalData = jsonl(held, "held.jsonl");
  const result = await run(gpu(), { model, data: data(), evalData });
  using trained = await RewardModel.load(gpu(), result.out);
  expect(trained.unused).toEqual([]);
  const items = held.map((r) => ({
    sequences: [r.chosen_ids, r.rejected_ids].map((ids) => Int32Array.from([...r.prompt_ids, ...ids])),
  }));
  const rewards = await trained.scoreItems(items, { batchTokens: 16 });
  expect(rewards.map((pair) => pair.map((s) => s.reward))).toEqual(
    result.rewards.map(({ chosen, rejected }) => [chosen, rejected]),
  );
});

it("a folder without tokenizer: its vocabulary grows by a row for the pad, once", async () => {
  const options = { data: data(), evalSplit: 0 };
  const first = await run(gpu(), { ...options, model: await bare() });
  const config = (dir: string) => JSON.parse(readFileSync(join(dir, "config.json"), "utf8"));
  expect(config(first.out)).toMatchObject({
    vocab_size: 41,
    pad_token_id: 40,
    architectures: ["LlamaForSequenceClassification"],
  });
  const second = await run(gpu(), { ...options, model: first.out });
  expect(config(second.out)).toMatchObject({ vocab_size: 41, pad_token_id: 40 });
  using model = await RewardModel.load(gpu(), second.out);
  const [[last] = [], [short] = []] = await model.scoreItems(
    [[3, 39], [3]].map((ids) => ({ sequences: [Int32Array.from(ids)] })),
  );
  expect(last?.reward).not.toBe(short?.reward);
});

describe("plans", () => {
  it.each([
    ["fewer pairs than a batch", { batchSize: 4096, epochs: 3 }, 3, 30],
    ["steps given", { maxSteps: 5, epochs: 100 }, 5, 30],
    ["half an epoch", { batchSize: 6, epochs: 0.5 }, 3, 30],
    ["one pair", { epochs: 2 }, 2, 1],
    ["no steps", { epochs: 0 }, 0, 30],
    ["more steps between lines than steps", { logEvery: 1e9, epochs: 1 }, 4, 30],
  ])("%s", async (_, options, steps, count) => {
    const file = jsonl(idPairs(count));
    const result = await run(gpu(), { model: await bare(), data: file, evalSplit: 0, ...options });
    expect(result).toMatchObject({ totalSteps: steps, savedStep: steps, evaluation: undefined });
    if (steps > 0) expect(metricsOf(result.out).at(-1)).toMatchObject({ step: steps });
    // What is set aside follows the pairs there are, not the numbers asked for.
    expect(result.peakBytes).toBeLessThan(4e6);
  });

  it("--warmup-steps: the rate rises over them; in file order without shuffling", async () => {
    const options = { model: await bare(), data: data(), evalSplit: 0, logEvery: 1, epochs: 2 } as const;
    const rates = (out: string) => metricsOf(out).map((line) => line.learning_rate);
    const { out } = await run(gpu(), { ...options, warmupSteps: 4, lr: 0.4, schedule: "linear" });
    const expected = [0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1];
    rates(out).forEach((rate, i) => void expect(rate).toBeCloseTo(expected[i] ?? Number.NaN, 12));
    const tokens = (from: number, to: number) =>
      idPairs(30)
        .slice(from, to)
        .reduce((sum, r) => sum + 2 * r.prompt_ids.length + r.chosen_ids.length + r.rejected_ids.length, 0);
    const inOrder = await run(gpu(), { ...options, shuffle: false });
    expect(
      metricsOf(inOrder.out)
        .map((line) => line.num_tokens)
        .slice(0, 5),
    ).toEqual([tokens(0, 8), tokens(0, 16), tokens(0, 24), tokens(0, 30), tokens(0, 30) + tokens(0, 8)]);
    expect(metricsOf(out).map((line) => line.num_tokens)).not.toEqual(
      metricsOf(inOrder.out).map((line) => line.num_tokens),
    );
  });
});
