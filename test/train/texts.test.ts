/** @file Runs on texts with a real tokenizer: the recipe that is saved, and closing rewards that scoring gives again. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { readPreferences } from "../../src/data/preference.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import type { TrainOptions } from "../../src/train/options.ts";
import { plainRecord } from "../data/plain-record.ts";
import { realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { jsonl, run } from "./records.ts";

const gpu = useGpu();

/** Pairs in which several replies share a prompt, some have none, and some are long. */
const pairs = (salt: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const prompt = i % 4 === 3 ? undefined : `Tell me about the ${["cat", "dog", "bird"][(i + salt) % 3]}. `;
    const tail = "and then it ran home. ".repeat(1 + ((i * 5 + salt) % 6));
    return {
      prompt,
      chosen: `It was happy ${tail}`,
      rejected: `I am sad ${i} ${tail}no`,
      kind: i % 2 ? "odd" : "even",
    };
  });
const data = () => jsonl(pairs(0, 24));

it.each<[string, Partial<TrainOptions>, boolean]>([
  ["as it comes", {}, true],
  ["--no-eos", { eos: false }, false],
  ["--truncate left", { overlong: "left", maxLength: 24 }, true],
  ["--truncate right --no-eos", { overlong: "right", maxLength: 24, eos: false }, false],
  ["--max-length", { maxLength: 40 }, true],
])("%s: scoring the saved checkpoint gives the closing rewards, bit for bit", async (_, options, addEos) => {
  const evalData = jsonl(pairs(1, 13), "held.jsonl");
  const { out, rewards, dataset } = await run(gpu(), {
    model: realModel("stories260k"),
    data: data(),
    evalData,
    epochs: 2,
    ...options,
  });
  {
    await using folder = await openModelFolder(out);
    expect(folder.recipe).toEqual({
      addEos,
      eosTokenId: 2,
      readPosition: "last",
      bos: "auto",
      tokenizer: { bosTokenId: 1, eosTokenId: 2, before: [1], after: [] },
      truncation: { side: options.overlong ?? "drop", maxLength: options.maxLength ?? 512 },
    });
    expect(folder.config.vocabSize).toBe(512);
  }
  using model = await RewardModel.load(gpu(), out);
  const { overlong, maxLength } = options;
  const limit = overlong === undefined ? {} : { overlong, maxLength };
  const kept = new Set(rewards.map((r) => r.record.where));
  const records = (await readPreferences(evalData)).map(plainRecord).filter((r) => kept.has(r.where));
  expect(kept.size).toBe(13 - (dataset.eval?.counts.dropped ?? 0));
  if (overlong === undefined && maxLength !== undefined) expect(kept.size).toBeLessThan(13);
  const items = records.map((r) => model.tokenise(r.content, r.where, limit));
  for (const { sequences } of items)
    for (const ids of sequences) {
      expect(ids.length).toBeLessThanOrEqual(maxLength ?? 1024);
      expect(ids.at(-1) === 2).toBe(addEos);
    }
  const scored = await model.scoreItems([...items].reverse(), { batchTokens: 100 });
  expect(scored.reverse().map((pair) => pair.map((s) => s.reward))).toEqual(
    rewards.map(({ chosen, rejected }) => [chosen, rejected]),
  );
});

it("computes a prompt once for all records that share it, and groups the evaluation by a field", async () => {
  const records = pairs(0, 24).filter((r) => r.prompt !== undefined);
  const result = await run(gpu(), {
    model: realModel("stories260k"),
    data: jsonl(records),
    evalData: jsonl(pairs(1, 12), "held.jsonl"),
    maxSteps: 1,
  });
  const { computed, padded } = result.counts;
  const tokens = result.dataset.train.counts.tokens + (result.dataset.eval?.counts.tokens ?? 0);
  expect(computed).toBeLessThan(tokens);
  expect(padded).toBeGreaterThan(tokens);
  const { evaluation } = result;
  expect(evaluation?.groups.map((g) => [g.group, g.n])).toEqual([
    ["even", 6],
    ["odd", 6],
  ]);
  const right = result.rewards.filter((r) => r.chosen > r.rejected).length;
  expect(evaluation?.accuracy).toMatchObject({ n: 12, accuracy: right / 12 });
  expect(evaluation?.accuracy.low).toBeLessThan(right / 12 + 1e-12);
  expect(evaluation?.accuracy.high).toBeGreaterThan(right / 12 - 1e-12);
  expect((evaluation?.baselines.longer ?? 0) + (evaluation?.baselines.shorter ?? 0)).toBeCloseTo(1, 12);
});

it("a tokenizer without an EOS trains with --no-eos only", async () => {
  const { out } = await run(gpu(), {
    model: realModel("stories260k"),
    data: data(),
    maxSteps: 1,
    evalSplit: 0,
  });
  for (const file of ["tokenizer_config.json", "config.json"]) {
    const path = join(out, file);
    const { eos_token: _, eos_token_id: __, rmtrain: ___, ...rest } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...rest, eos_token_id: null }));
  }
  await expect(run(gpu(), { model: out, data: data() })).rejects.toThrow(
    /no end-of-sequence token.*--no-eos/,
  );
  const without = await run(gpu(), { model: out, data: data(), eos: false, maxSteps: 1, evalSplit: 0 });
  using model = await RewardModel.load(gpu(), without.out);
  expect(model.recipe.addEos).toBe(false);
});

it("records of ids that end in the tokenizer's pad: the saved pad is another", async () => {
  const special = [0, 1, 3].map((id) => ({ chosen_ids: [5, id], rejected_ids: [6, 300 + id] }));
  const { out } = await run(gpu(), {
    model: realModel("stories260k"),
    data: jsonl(special),
    maxSteps: 1,
    evalSplit: 0,
  });
  using model = await RewardModel.load(gpu(), out);
  for (const { chosen_ids, rejected_ids } of special)
    for (const ids of [chosen_ids, rejected_ids])
      expect(model.differsFromLast(Int32Array.from(ids))).toBe(false);
  expect([0, 1, 2, 3]).not.toContain(model.config.padTokenId);
});
