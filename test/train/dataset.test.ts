/** @file Records as pairs: who is held out, who is left out, who is cut, and the notes that say so. */
import { describe, expect, it } from "vitest";
import { loadDataset } from "../../src/train/dataset.ts";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, run } from "./records.ts";

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
    tokens: 9,
  });
  expect(dropping.train.pairs.map((p) => p.record.where)).toEqual([`${data}:3`, `${data}:4`]);
  const cutting = await loadDataset(source(data, { evalSplit: 0 }), {
    ...tokenise,
    maxLength: 8,
    overlong: "left",
  });
  expect(cutting.train.counts).toMatchObject({ records: 4, dropped: 0, truncated: [1, 2], identical: 1 });
  expect(cutting.train.pairs.map((p) => p.margin)).toEqual([0.5, 0, 0, 0]);
  expect(cutting.train.pairs[0]?.record.extra).toEqual({ kind: "a" });
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
  expect(dropped.notes.slice(0, 3)).toEqual([
    "22 training pairs, 0 held out (0 of the prompts, drawn with seed 0)",
    "1 training pairs left out: a side is longer than --max-length 20 (or use --truncate left|right)",
    "1 training pairs have equal sides and teach nothing",
  ]);
  const cut = await run(gpu(), { ...options, overlong: "right" });
  expect(cut.notes).toContain("training: 1 chosen and 0 rejected sides cut to 20 tokens");
  expect(cut.dataset.train.counts.dropped).toBe(0);
});

it("all held-out pairs left out: the run has no evaluation and says so", async () => {
  const evalData = jsonl([{ chosen_ids: new Array(30).fill(1), rejected_ids: [2] }], "held.jsonl");
  const model = await tinyModel({ family: "llama" });
  const result = await run(gpu(), { model, data: jsonl(idPairs(9)), evalData, maxLength: 20 });
  expect(result.evaluation).toBeUndefined();
  expect(result.notes).toContain(
    "1 held-out pairs left out: a side is longer than --max-length 20 (or use --truncate left|right)",
  );
});
