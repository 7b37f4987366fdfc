/** @file An evaluation of a saved model: what training said at its end, bit for bit; groups; what is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type EvalOptions, evalJson, evaluateModel } from "../../src/audit/eval.ts";
import { RewardModel } from "../../src/audit/reward-model.ts";
import { wilson } from "../../src/data/null-baselines.ts";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { realModel } from "../reference/goldens.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, run } from "../train/records.ts";

const gpu = useGpu();
const held = () =>
  jsonl(
    idPairs(23).map((r, i) => ({
      ...r,
      kind: ["x", "y", "z"][i % 3],
      id: i,
      margin: i % 2,
    })),
    "held.jsonl",
  );

let evalData: string;
let trained: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  evalData = held();
  const model = await tinyModel({ family: "llama", dtype: "BF16" });
  trained = await run(gpu(), { model, data: jsonl(idPairs(30)), evalData, maxShardSize: 4000 });
});

async function evaluated(options: EvalOptions = {}, data: string = evalData) {
  using model = await RewardModel.load(gpu(), trained.out);
  return await evaluateModel(model, data, options);
}

it("says what the training run said of its held-out pairs, bit for bit", async () => {
  const { evaluation } = trained;
  for (const batchTokens of [16, 4096]) {
    const { counts: _, by, ...rest } = await evaluated({ batchTokens });
    expect(rest).toEqual({
      metrics: evaluation?.metrics,
      accuracy: evaluation?.accuracy,
      baselines: evaluation?.baselines,
    });
    expect(by.get("kind")?.map(({ baselines: __, ...group }) => group)).toEqual(evaluation?.groups);
  }
});

it("the same with texts, EOS and pairs that are too long", async () => {
  const texts = Array.from({ length: 12 }, (_, i) => ({
    prompt: `Story ${i}. `,
    chosen: "The cat was happy. ".repeat(1 + (i % 4)),
    rejected: "A sad dog. ".repeat(1 + (i % 3)),
  }));
  const [data, evalTexts] = [jsonl(texts), jsonl(texts.slice(0, 9), "held.jsonl")];
  const options = { model: realModel("stories260k"), data, evalData: evalTexts };
  for (const limit of [{ maxLength: 24 }, { maxLength: 12, overlong: "left" }] as const) {
    const { out, evaluation, dataset } = await run(gpu(), { ...options, ...limit });
    using model = await RewardModel.load(gpu(), out);
    const again = await evaluateModel(model, evalTexts, limit);
    expect(again.metrics).toEqual(evaluation?.metrics);
    expect(again.accuracy).toEqual(evaluation?.accuracy);
    expect(again.counts).toEqual(dataset.eval?.counts);
  }
});

it("the same with conversations, by the template that the checkpoint keeps", async () => {
  const message = (role: string, content: string) => ({ role, content });
  const chats = Array.from({ length: 9 }, (_, i) => ({
    prompt: [message("user", `Who was happy ${i}?`)],
    chosen: [message("assistant", "The cat was happy.")],
    rejected: [message("assistant", `A sad dog ${i}.`)],
  }));
  const chatTemplate = join(temporaryFolder(), "template.jinja");
  writeFileSync(chatTemplate, "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}");
  const [data, evalData] = [jsonl(chats), jsonl(chats.slice(0, 5), "held.jsonl")];
  const { out, evaluation } = await run(gpu(), {
    model: realModel("stories260k"),
    data,
    evalData,
    chatTemplate,
  });
  using model = await RewardModel.load(gpu(), out);
  const { metrics, accuracy, baselines } = await evaluateModel(model, evalData);
  expect({ metrics, accuracy, baselines }).toEqual({
    metrics: evaluation?.metrics,
    accuracy: evaluation?.accuracy,
    baselines: evaluation?.baselines,
  });
});

describe("groups", () => {
  it("are those of the fields with 2 to 20 values; each counts its own pairs", async () => {
    const { by, accuracy } = await evaluated();
    expect([...by.keys()]).toEqual(["kind"]); // the ids are 23
    const groups = by.get("kind") ?? [];
    expect(groups.map((g) => g.group)).toEqual(["x", "y", "z"]);
    expect(groups.reduce((sum, g) => sum + g.n, 0)).toBe(accuracy.n);
    for (const { n, accuracy: share, low, high } of groups)
      expect({ low, high }).toEqual(wilson(Math.round(share * n), n));
  });

  it("are those that were asked for, whatever their number of values", async () => {
    const { by } = await evaluated({ groupBy: ["id", "kind"] });
    expect([...by].map(([field, groups]) => [field, groups.length])).toEqual([
      ["id", 23],
      ["kind", 3],
    ]);
  });

  it("a field that no record has is refused, with those that there are", async () => {
    await expect(evaluated({ groupBy: ["knd"] })).rejects.toThrow(
      /--group-by knd: no record has this field \(there are: kind, id\)/,
    );
  });
});

it("no pair left is refused with the reason", async () => {
  await expect(evaluated({ maxLength: 1 })).rejects.toThrow(
    /none of 23 pairs is left to evaluate: 23 are longer/,
  );
});

it("as JSON: metrics.jsonl's and score's names", async () => {
  const result = await evaluated({ groupBy: ["kind"] });
  const json = JSON.parse(JSON.stringify(evalJson(result)));
  expect(json).toMatchObject({
    records: 23,
    left_out: { too_long: 0, equal_sides: 0 },
    n: result.accuracy.n,
    accuracy: result.accuracy.accuracy,
    interval_95: [result.accuracy.low, result.accuracy.high],
    loss: result.metrics.loss,
    mean_margin: result.metrics.margin,
    always_longer: result.baselines.longer,
  });
  expect(json.by.kind[0]).toMatchObject({ value: "x", n: result.by.get("kind")?.[0]?.n });
});
