/** @file Bad rows: refused, or left out and counted; never all of them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPreferences } from "../../src/data/preference.ts";
import { ReadingLog } from "../../src/data/reading.ts";
import { readScoreLines } from "../../src/data/score-record.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "rmtrain-reading-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function write(name: string, ...lines: readonly string[]): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, lines.join("\n"));
  return path;
}

const pair = (chosen: string) => JSON.stringify({ chosen, rejected: "r" });

test("--skip-bad-lines leaves bad lines out and says how many, the first ones with reasons", async () => {
  const a = await write("a.jsonl", pair("1"), "{", '{"chosen":"x"}', pair("2"));
  const b = await write("b.jsonl", "[]", "3", pair("3"));
  await expect(readPreferences([a, b])).rejects.toThrow(`${a}:2: not valid JSON`);
  const log = new ReadingLog();
  const records = await readPreferences([a, b], { skipBadLines: true, log });
  expect(records.map((r) => r.where)).toEqual([`${a}:1`, `${a}:4`, `${b}:3`]);
  expect(log.bad).toBe(4);
  const lines = log.lines().at(-1)?.split("\n");
  expect(lines).toHaveLength(5);
  expect(lines?.[0]).toBe("4 bad lines skipped:");
  expect(lines?.[1]).toContain(`${a}:2: not valid JSON`);
  expect(lines?.[2]).toBe(`  ${a}:3: rejected: missing`);
  expect(lines?.[4]).toBe("  and 1 more");
});

test("where every line is bad it is an error all the same, and so is a file without lines", async () => {
  const bad = await write("bad.jsonl", "{", '{"chosen":"x"}');
  await expect(readPreferences(bad, { skipBadLines: true })).rejects.toThrow(
    `${bad}: all 2 lines are bad; the first: ${bad}:1: not valid JSON`,
  );
  const one = await write("one.jsonl", "{");
  await expect(readPreferences(one, { skipBadLines: true })).rejects.toThrow("the only line is bad");
  const empty = await write("empty.jsonl");
  await expect(readPreferences(empty, { skipBadLines: true })).rejects.toThrow(`${empty}: no records`);
});

test("score's bad lines come in their place, with their id where they have one", async () => {
  const path = await write("s.jsonl", '{"text":"a","id":1}', '{"text":5,"id":"x"}', "{", '{"text":"b"}');
  const seen = [];
  for await (const line of readScoreLines(path, { skipBadLines: true })) {
    seen.push("bad" in line ? line.bad : line.record.where);
  }
  expect(seen).toMatchObject([
    `${path}:1`,
    { where: `${path}:2`, id: "x", problem: "text: expected a string, found the number 5" },
    { where: `${path}:3`, problem: expect.stringMatching(/^not valid JSON/) },
    `${path}:4`,
  ]);
  expect(seen[2]).not.toHaveProperty("id");
});

test("the file that vanishes between the search and the reading is named", async () => {
  const [kept, gone] = [await write("kept.jsonl", pair("a")), await write("gone.jsonl", pair("b"))];
  const reading = (async () => {
    for await (const line of readScoreLines([kept, gone])) {
      expect(line).toHaveProperty("record");
      await rm(gone);
    }
  })();
  await expect(reading).rejects.toThrow(`${gone}: no such file`);
});
