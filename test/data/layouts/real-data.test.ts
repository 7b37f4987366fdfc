/** @file The two forms of real data, strings and messages, are the same pairs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ChatContent, TextContent } from "../../../src/data/content.ts";
import { labelledReplies } from "../../../src/data/labelled-reply.ts";
import { readPreferences } from "../../../src/data/preference.ts";
import { rankedLists } from "../../../src/data/ranked-list.ts";
import { ReadingLog, readAll } from "../../../src/data/reading.ts";
import { readScoreLines } from "../../../src/data/score-record.ts";

const shared = process.env.RMTRAIN_SHARED;
const file = (name: string) => join(shared ?? "", "data", name);

describe.skipIf(shared === undefined)("real data (needs RMTRAIN_SHARED)", () => {
  test.each([
    ["train", 250, 1247],
    ["eval", 307, 307],
  ])("hh-harmless %s", async (name, rows, all) => {
    const [log, chatLog] = [new ReadingLog(), new ReadingLog()];
    const texts = await readPreferences(file(`hh-harmless/${name}.jsonl`), { log });
    const chats = await readPreferences(file(`hh-harmless/${name}-messages.jsonl`), { log: chatLog });
    expect([texts.length, chats.length]).toEqual([all, rows]);
    expect(log.lines()).toEqual([expect.stringMatching(/pairs of strings$/)]);
    expect(chatLog.lines()).toEqual([expect.stringMatching(/whole conversations/)]);
    for (const [i, { content }] of chats.entries()) {
      const text = texts[i]?.content as TextContent;
      expect(asText(content as ChatContent)).toEqual([text.prompt, text.replies.map((r) => r.trim())].flat());
    }
  });

  test("qa-feedback", async () => {
    const [log, texts] = [new ReadingLog(), await readPreferences(file("qa-feedback/train.jsonl"))];
    await readPreferences(file("qa-feedback/eval.jsonl"), { log });
    expect(texts).toHaveLength(1213);
    expect(log.lines()).toEqual([expect.stringMatching(/: 367 records, pairs of strings$/)]);
  });

  test("messages are scored as pairs", async () => {
    let pairs = 0;
    for await (const line of readScoreLines(file("hh-harmless/eval-messages.jsonl")))
      if ("record" in line && line.record.pair && line.record.content.kind === "chat") pairs += 1;
    expect(pairs).toBe(307);
  });

  test("where pairs are wanted, single labels and ranked lists are refused by name", async () => {
    await expect(readPreferences(file("halueval/eval.jsonl"))).rejects.toThrow(
      /eval.jsonl:1: single-label rows/,
    );
    await expect(readPreferences(file("qa-feedback/ranked.jsonl"))).rejects.toThrow(
      /ranked.jsonl:1: lists of replies/,
    );
  });

  test.each([
    ["train", 937],
    ["eval", 314],
  ])("halueval %s: single labels", async (name, count) => {
    const log = new ReadingLog();
    const rows = await readAll(file(`halueval/${name}.jsonl`), labelledReplies, { log });
    const raw = linesOf(`halueval/${name}.jsonl`);
    expect(log.lines()).toEqual([expect.stringMatching(/labelled prompts and replies$/)]);
    expect(rows).toHaveLength(count);
    for (const [i, row] of rows.entries()) {
      expect(row.content).toEqual({ kind: "text", prompt: raw[i]?.prompt, replies: [raw[i]?.completion] });
      expect("wanted" in row && row.wanted).toBe(raw[i]?.label);
    }
  });

  test("qa-feedback's ranked lists: those whose comparisons contradict each other have no order", async () => {
    const lists = await readAll(file("qa-feedback/ranked.jsonl"), rankedLists);
    const raw = linesOf("qa-feedback/ranked.jsonl");
    expect(lists).toHaveLength(303);
    for (const [i, list] of lists.entries()) {
      expect(list.content.replies).toEqual(raw[i]?.responses);
      expect("ranks" in list ? (list.ranks ?? null) : []).toEqual(raw[i]?.rank);
      expect(list.extra.comparisons).toEqual(raw[i]?.comparisons);
    }
  });
});

const linesOf = (name: string): Record<string, unknown>[] =>
  readFileSync(file(name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** hh-rlhf's own way to write the prompt, and the replies. */
function asText({ prompt, replies }: ChatContent): unknown[] {
  const speakers: Readonly<Record<string, string>> = { user: "Human", assistant: "Assistant" };
  const turns = prompt.map((m) => `\n\n${speakers[m.role]}: ${m.content}`).join("");
  return [`${turns}\n\nAssistant:`, ...replies.map((messages) => messages.map((m) => m.content).join())];
}
