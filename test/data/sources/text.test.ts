/** @file Plain text in blocks of whole paragraphs: nothing lost, lines told, folders and gzip read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { plainTexts } from "../../../src/data/plain-text.ts";
import { readAll } from "../../../src/data/reading.ts";
import { parseText } from "../../../src/data/sources/text.ts";

async function blocks(text: string | Uint8Array, chunk = 7) {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  }
  const all: { row: number; text: string }[] = [];
  for await (const entry of parseText(chunks())) {
    const { row } = entry;
    all.push({ row, text: "value" in entry ? (entry.value as { text: string }).text : entry.problem });
  }
  return all;
}

test("short text is one block, from its first line on, without the white space around it", async () => {
  expect(await blocks("\u{feff}\n\n  A title \r\n\r\nby é\n\n\n")).toEqual([
    { row: 3, text: "  A title \n\nby é" },
  ]);
  expect(await blocks("\n \n")).toEqual([]);
});

test("blocks end with a paragraph from 8192 characters on, and together hold the text", async () => {
  const paragraphs = Array.from({ length: 300 }, (_, i) => `${i} ${"word ".repeat(1 + ((i * 37) % 90))}end.`);
  const text = paragraphs.join("\n\n");
  const found = await blocks(text, 4096);
  expect(found.length).toBeGreaterThan(5);
  expect(found.map((block) => block.text).join("\n\n")).toBe(text);
  for (const { row, text: block } of found) {
    expect(block.startsWith(`${(row - 1) / 2} `)).toBe(true);
    expect(block.endsWith("end.")).toBe(true);
  }
  for (const { text: block } of found.slice(0, -1)) expect(block.length).toBeGreaterThanOrEqual(8190);
});

test("what isn't UTF-8 is a problem that names its line; the next block is read", async () => {
  const long = `${"x".repeat(8192)}\n\n`;
  const bytes = Buffer.concat([Buffer.from("a\nb"), Buffer.from([0xff]), Buffer.from(`\n${long}next`)]);
  expect(await blocks(bytes, 1000)).toEqual([
    { row: 1, text: "line 2 is not UTF-8 text" },
    { row: 5, text: "next" },
  ]);
});

test("a folder stands for its .txt files, also gzipped and below it, in order; elsewhere it is refused", async () => {
  const dir = mkdtempSync(join(tmpdir(), "rmtrain-text-"));
  try {
    mkdirSync(join(dir, "more"));
    writeFileSync(join(dir, "b.txt"), "{not json}");
    writeFileSync(join(dir, "a.txt.gz"), gzipSync("first"));
    writeFileSync(join(dir, "more", "c.txt"), "third");
    writeFileSync(join(dir, "notes.md"), "no");
    const records = await readAll(dir, plainTexts);
    expect(records.map(({ content }) => content.replies)).toEqual([["first"], ["{not json}"], ["third"]]);
    expect(records[0]?.where).toBe(`${join(dir, "a.txt.gz")}:1`);
    await expect(readAll(dir, { ...plainTexts, plainText: false })).rejects.toThrow(/a folder/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
