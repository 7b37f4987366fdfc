/** @file Sets of every kind of example: what is used, what is left out and why, and how they are held out. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ExampleKind } from "../../src/data/example-kind.ts";
import type { TokeniseOptions } from "../../src/data/tokenise.ts";
import { chatReader } from "../../src/model/chat/chat-reader.ts";
import { readRecords, tokeniseRecords } from "../../src/train/dataset.ts";
import { BOS, EOS, encoder } from "../data/checks/support.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { jsonl } from "./records.ts";

const recipe = { addEos: true, eosTokenId: EOS } as const;
const chats = () => chatReader("model", undefined, undefined);

async function load<K extends ExampleKind>(kind: K, data: string, more: object = {}) {
  const options: TokeniseOptions = { encoder, recipe, vocabSize: 70_000, maxLength: 40, ...more };
  const source = { data, seed: 0, evalSplit: 0, ...more };
  return tokeniseRecords(await readRecords(source, chats(), undefined, kind), options);
}

describe("rows", () => {
  it("come from rows and from pairs, with their labels and where their replies begin", async () => {
    const data = jsonl([
      { prompt: "ab", completion: "cd", label: true, topic: "x" },
      { prompt: "ab", completion: "e", label: false },
      { prompt: "p", chosen: "good", rejected: "bad", label: 0.5 },
      { prompt: "p", chosen: "good", rejected: "bad" },
      { prompt: "p", completion: "y".repeat(50), label: true },
    ]);
    const { train } = await load("rows", data);
    expect(train.kind).toBe("rows");
    expect(train.examples.map(({ record, wanted }) => [record.content.replies[0], wanted])).toEqual([
      ["cd", true],
      ["e", false],
      ["good", true],
      ["bad", false],
    ]);
    expect(train.examples[0]?.replyStarts).toEqual([3]);
    expect(train.examples[0]?.item.sequences).toEqual([encode("abcd")]);
    expect(train.examples[0]?.record.extra).toEqual({ topic: "x" });
    expect(train.leftOut.map(({ where, why }) => [where, why])).toEqual([
      [`${data}:3`, "tied"],
      [`${data}:5`, "too-long"],
    ]);
    expect(train.counts).toMatchObject({ records: 6, dropped: 1, undecided: 1, identical: 0 });
  });

  it("of one pair are held out together, also without a prompt", async () => {
    const pairs = Array.from({ length: 40 }, (_, i) => ({ chosen: `good ${i}`, rejected: `bad ${i}` }));
    const { train, eval: held } = await load("rows", jsonl(pairs), { evalSplit: 0.3 });
    expect(held?.examples).toHaveLength(24);
    const lines = new Set(train.examples.map(({ record }) => record.where));
    for (const { record } of held?.examples ?? []) expect(lines).not.toContain(record.where);
  });
});

describe("lists", () => {
  it("keep the replies that have a rank; those without an order, or with nothing but ties, are left out", async () => {
    const responses = ["aa", "b", "cccc"];
    const data = jsonl([
      { prompt: "p", responses, ranks: [2, 0, 1] },
      { prompt: "p", responses, rank: null },
      { prompt: "p", responses, ranks: [0, null, 3] },
      { prompt: "p", responses, ranks: [0, null, null] },
      { prompt: "p", responses, scores: [1, 1, 1] },
      { prompt: "p", responses: ["same", "same"], ranks: [0, 1] },
      { prompt: "p", chosen: "x", rejected: "y", label: 0.1 },
      { prompt: "p", responses, scores: [0.5, 2, 2] },
    ]);
    const { train } = await load("lists", data);
    const line = (where: string) => Number(where.split(":").at(-1));
    expect(
      train.examples.map(({ record, ranks, scores, item }) => [
        line(record.where),
        ranks,
        scores,
        item.sequences.length,
      ]),
    ).toEqual([
      [1, [2, 0, 1], undefined, 3],
      [3, [0, 1], undefined, 2],
      [7, [1, 0], undefined, 2],
      [8, [1, 0, 0], [0.5, 2, 2], 3],
    ]);
    expect(train.examples[1]?.item.sequences[1]).toEqual(encode("pcccc"));
    expect(train.leftOut.map(({ where, why }) => [line(where), why])).toEqual([
      [2, "unranked"],
      [4, "unranked"],
      [5, "tied"],
      [6, "same-text"],
    ]);
    expect(train.counts).toMatchObject({ records: 8, undecided: 3, identical: 1 });
    for (const { replyStarts, item } of train.examples)
      expect(replyStarts).toHaveLength(item.sequences.length);
  });
});

describe("texts", () => {
  it("are texts, replies after their prompt, the preferred side of pairs, the wanted rows", async () => {
    const data = jsonl([
      { text: "abc" },
      { prompt: "p", completion: "abc" },
      { prompt: "p", chosen: "good", rejected: "bad" },
      { prompt: "p", chosen: "good", rejected: "bad", label: 0 },
      { prompt: "p", completion: "no", label: false },
      { prompt: "p", completion: "yes", label: true },
    ]);
    const { train } = await load("texts", data);
    expect(train.examples.map(({ item, replyStarts }) => [[...item.sequences[0]!], replyStarts])).toEqual([
      [[...encode("abc")], [1]],
      [[...encode("pabc")], [2]],
      [[...encode("pgood")], [2]],
      [[...encode("pbad")], [2]],
      [[...encode("pyes")], [2]],
    ]);
    expect(train.leftOut).toMatchObject([{ where: `${data}:5`, why: "unwanted" }]);
  });

  it("longer than the limit become several, where replies to prompts are dropped", async () => {
    const path = join(temporaryFolder(), "book.txt");
    writeFileSync(path, `${"One sentence here. ".repeat(5)}\n\nShort.\n\n${"x".repeat(50)}\n`);
    const { train } = await load("texts", path, { maxLength: 22 });
    const texts = train.examples.map(({ record }) => record.content.replies[0]);
    expect(texts.join(" ")).toBe(
      `${"One sentence here. ".repeat(5)}Short. ${"x".repeat(20)} ${"x".repeat(20)} ${"x".repeat(10)}`,
    );
    for (const { item, record } of train.examples) {
      const [ids = new Int32Array()] = item.sequences;
      expect(record.where).toBe(`${path}:1`);
      expect([ids[0], ids.at(-1), ids.length <= 22]).toEqual([BOS, EOS, true]);
    }
    const reply = jsonl([{ prompt: "p", completion: "y".repeat(50) }, { text: "ok" }]);
    expect((await load("texts", reply)).train.leftOut).toMatchObject([{ why: "too-long" }]);
    const ids = jsonl([{ input_ids: [...Array(100).keys()] }]);
    const windows = (await load("texts", ids)).train.examples.map(({ item }) => item.sequences[0]!.length);
    expect(windows).toEqual([40, 40, 22]);
  });
});

function encode(text: string): Int32Array {
  return Int32Array.of(...encoder.encode(text, { addSpecialTokens: true }), EOS);
}
