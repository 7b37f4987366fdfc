/** @file Records as pairs: who is held out, who is left out, who is cut, and the notes that say so. */
import { describe, expect, it } from "vitest";
import type { TokeniseOptions } from "../../src/data/tokenise.ts";
import { chatReader } from "../../src/model/chat/chat-reader.ts";
import * as dataset from "../../src/train/dataset.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, metricsOf, run } from "./records.ts";

type Source = Parameters<typeof dataset.loadDataset>[0];
const loadDataset = (from: Source, options: TokeniseOptions) =>
  dataset.loadDataset(from, chatReader("model", undefined, undefined), options);
const gpu = useGpu();
const tokenise = { recipe: { addEos: false }, vocabSize: 40, maxLength: 100 } as const;
const source = (data: string, more = {}) => ({ data, seed: 0, ...more });
const prompts = (pairs: readonly { readonly record: { readonly content: { readonly prompt: unknown } } }[]) =>
  new Set(pairs.map((p) => JSON.stringify(p.record.content.prompt)));

describe("held out are", () => {
  const records = idPairs(60);

  it("a tenth of the prompts, whole, where nobody says more", async () => {
    const { train, eval: held, splitBy } = await loadDataset(source(jsonl(records)), tokenise);
    expect(held?.pairs.length).toBe(6);
    expect(train.pairs.length).toBe(54);
    const shared = prompts(train.pairs);
    for (const prompt of prompts(held?.pairs ?? [])) expect(shared).not.toContain(prompt);
    expect(splitBy).toBe("0.1 of the prompts, drawn with seed 0");
  });

  it("the same for the same seed, others for another", async () => {
    const lines = async (seed: number) => {
      const { eval: held } = await loadDataset({ data: jsonl(records), seed, evalSplit: 0.2 }, tokenise);
      return held?.pairs.map((p) => p.record.where.split(":").at(-1));
    };
    expect(await lines(3)).toEqual(await lines(3));
    expect(await lines(3)).not.toEqual(await lines(4));
  });

  it("those that say so themselves, where all say train or eval", async () => {
    const own = records.map((r, i) => ({ ...r, split: i % 5 === 0 ? "eval" : "train" }));
    const data = jsonl(own);
    const { train, eval: held, splitBy } = await loadDataset(source(data), tokenise);
    expect(splitBy).toBe('the records\' field "split"');
    expect(held?.pairs.map((p) => p.record.where)).toEqual(
      own.flatMap((r, i) => (r.split === "eval" ? [`${data}:${i + 1}`] : [])),
    );
    expect(train.pairs.length).toBe(48);
    const asked = await loadDataset(source(data, { evalSplit: 0.5 }), tokenise);
    expect(asked.splitBy).toMatch(/^0\.5 of the prompts/);
    const some = own.map((r, i) => (i === 7 ? { ...r, split: "test" } : r));
    expect((await loadDataset(source(jsonl(some)), tokenise)).splitBy).toMatch(/^0\.1 of the prompts/);
  });

  it("the records of --eval-data, and then none of the others", async () => {
    const evalData = jsonl(idPairs(5), "held.jsonl");
    const { train, eval: held, splitBy } = await loadDataset(source(jsonl(records), { evalData }), tokenise);
    expect([train.pairs.length, held?.pairs.length, splitBy]).toEqual([60, 5, evalData]);
  });

  it("none with --eval-split 0", async () => {
    const { train, eval: held } = await loadDataset(source(jsonl(records), { evalSplit: 0 }), tokenise);
    expect([train.pairs.length, held]).toEqual([60, undefined]);
  });
});

it("counts what is left out, cut, and has equal sides; a record's margin and fields stay with it", async () => {
  const ids = (n: number, id: number) => new Array<number>(n).fill(id);
  const data = jsonl([
    { prompt_ids: [1], chosen_ids: ids(3, 2), rejected_ids: ids(9, 3), margin: 0.5, kind: "a" },
    { prompt_ids: [2], chosen_ids: ids(8, 2), rejected_ids: ids(9, 3) },
    { prompt_ids: [3], chosen_ids: [4], rejected_ids: [4] },
    { prompt_ids: [4], chosen_ids: [5], rejected_ids: [6, 7], margin: null },
  ]);
  const dropping = await loadDataset(source(data, { evalSplit: 0 }), { ...tokenise, maxLength: 8 });
  expect(dropping.train.counts).toEqual({
    records: 4,
    dropped: 2,
    truncated: [0, 0],
    identical: 1,
    tokens: 5,
  });
  expect(dropping.train.pairs.map((p) => p.record.where)).toEqual([`${data}:4`]);
  expect(dropping.train.leftOut.map((l) => [l.where, l.why])).toEqual([
    [`${data}:1`, "too-long"],
    [`${data}:2`, "too-long"],
    [`${data}:3`, "same-text"],
  ]);
  const cutting = await loadDataset(source(data, { evalSplit: 0 }), {
    ...tokenise,
    maxLength: 8,
    overlong: "left",
  });
  expect(cutting.train.counts).toMatchObject({ records: 4, dropped: 0, truncated: [1, 2], identical: 1 });
  expect(cutting.train.pairs.map((p) => p.margin)).toEqual([0.5, 0, 0]);
  expect(cutting.train.pairs[0]?.record.extra).toEqual({ kind: "a" });
});

it("a record's label comes with its pair as the device reads it; 1 where there is none", async () => {
  const records = idPairs(4).map((r, i) => ({ ...r, label: [0.3, undefined, 0.5, 0][i] }));
  const { train } = await loadDataset(source(jsonl(records), { evalSplit: 0 }), tokenise);
  expect(train.pairs.map((p) => p.label)).toEqual([Math.fround(0.3), 1, 0.5, 0]);
});

it("a run learns from labels: 0 is the pair turned round, a tie is no right answer", async () => {
  const records = idPairs(24);
  const turned = records.map(({ chosen_ids, rejected_ids, ...rest }) => ({
    ...rest,
    chosen_ids: rejected_ids,
    rejected_ids: chosen_ids,
    label: 0,
  }));
  const model = await tinyModel({ family: "llama" });
  const options = { model, evalSplit: 0.25, logEvery: 1, centerRewardsCoefficient: 0.01 };
  const [plain, back] = [
    await run(gpu(), { ...options, data: jsonl(records) }),
    await run(gpu(), { ...options, data: jsonl(turned) }),
  ];
  const metrics = (out: string) => metricsOf(out).at(-1)!;
  expect(metrics(back.out).eval_accuracy).toBe(metrics(plain.out).eval_accuracy);
  expect(Math.abs(metrics(back.out).eval_loss! / metrics(plain.out).eval_loss! - 1)).toBeLessThan(1e-4);
  expect(metrics(back.out).eval_margin).toBeCloseTo(-metrics(plain.out).eval_margin!, 3);
  const ties = await run(gpu(), { ...options, data: jsonl(records.map((r) => ({ ...r, label: 0.5 }))) });
  expect([ties.evaluation?.accuracy.n, metrics(ties.out).eval_accuracy]).toEqual([0, null]);
});

it("a run's notes say how many pairs there are, were left out, were cut, and teach nothing", async () => {
  const records = [
    ...idPairs(20),
    { chosen_ids: [1, 2], rejected_ids: [1, 2] },
    { chosen_ids: new Array(30).fill(1), rejected_ids: [2] },
  ];
  const options = {
    model: await tinyModel({ family: "llama" }),
    data: jsonl(records),
    maxSteps: 1,
    evalSplit: 0,
    maxLength: 20,
  };
  const dropped = await run(gpu(), options);
  expect(dropped.notes.slice(1, 4)).toEqual([
    "22 training pairs, 0 held out (0 of the prompts, drawn with seed 0)",
    `note: 1 training pair left out: 1 chosen and 0 rejected sides are longer than --max-length 20 (or use --truncate left|right); 30 chosen and 1 rejected tokens are not read [too-long; ${options.data}:22]`,
    `warning: 1 training pair with the same text on both sides: left out, since a model can't rank equal sides and learns nothing from them [identical-pairs; ${options.data}:21]`,
  ]);
  expect(dropped.findings.slice(0, 2).map((f) => [f.check, f.set, f.count])).toEqual([
    ["too-long", "training", 1],
    ["identical-pairs", "training", 1],
  ]);
  const cut = await run(gpu(), { ...options, overlong: "right" });
  expect(cut.notes).toContain(
    `note: training: 1 chosen and 0 rejected sides cut to 20 tokens; 10 chosen and 0 rejected tokens are not read [truncated; ${options.data}:22]`,
  );
  expect(cut.dataset.train.counts.dropped).toBe(0);
});

it("all held-out pairs left out: the run has no evaluation and says so", async () => {
  const evalData = jsonl([{ chosen_ids: new Array(30).fill(1), rejected_ids: [2] }], "held.jsonl");
  const model = await tinyModel({ family: "llama" });
  const result = await run(gpu(), { model, data: jsonl(idPairs(9)), evalData, maxLength: 20 });
  expect(result.evaluation).toBeUndefined();
  expect(result.findings[0]).toMatchObject({
    check: "too-long",
    severity: "warning",
    set: "held-out",
    count: 1,
    examples: [`${evalData}:1`],
  });
});
