/** @file What becomes of records at the edges: each is read, or refused with its file, line and reason. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPreferences } from "../../src/data/preference.ts";
import { ReadingLog } from "../../src/data/reading.ts";
import { InputError } from "../../src/errors.ts";
import { useFolder } from "./sources/read-rows.ts";

const write = useFolder();
const pair = (chosen: string, rejected = "r", more: object = {}) =>
  JSON.stringify({ prompt: "p", chosen, rejected, ...more });
const good = pair("a");
const long = "x".repeat(100_000);

describe("read", () => {
  test.each<[string, string, (readonly [string, string])[]]>([
    ["one pair, without a line break", good, [["a", "r"]]],
    ["equal sides", pair("a", "a"), [["a", "a"]]],
    ["an empty reply", pair("", "r"), [["", "r"]]],
    [
      "a line of 100,000 characters",
      `${pair(long)}\n${good}`,
      [
        [long, "r"],
        ["a", "r"],
      ],
    ],
    [
      "a byte order mark and CRLF",
      `\u{feff}${good}\r\n${pair("b")}\r\n`,
      [
        ["a", "r"],
        ["b", "r"],
      ],
    ],
    [
      "blank lines",
      `\n${good}\n \n\n${pair("b")}\n\n`,
      [
        ["a", "r"],
        ["b", "r"],
      ],
    ],
    ["a whole pair of surrogates", pair("\u{1f600}"), [["\u{1f600}", "r"]]],
    ["a zero character, escaped", pair("a\0b"), [["a\0b", "r"]]],
    ["line separators that are no line breaks", pair("a\u2028b\u0085"), [["a\u2028b\u0085", "r"]]],
  ])("%s", async (_, text, replies) => {
    const records = await readPreferences(write("edge.jsonl", text));
    expect(records.map((r) => r.content.replies)).toEqual(replies);
  });

  test("duplicate ids are kept, each record with its own place", async () => {
    const path = write("ids.jsonl", [pair("a", "r", { id: 1 }), pair("b", "r", { id: 1 })].join("\n"));
    const records = await readPreferences(path);
    expect(records.map((r) => [r.where, r.extra.id])).toEqual([
      [`${path}:1`, 1],
      [`${path}:2`, 1],
    ]);
  });
});

describe("one bad line: refused by its number, or left out by --skip-bad-lines", () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ["NaN as a margin", '{"chosen":"a","rejected":"r","margin":NaN}', /not valid JSON.*JSON has no NaN/],
    [
      "infinity as a margin",
      '{"chosen":"a","rejected":"r","margin":1e999}',
      /margin: expected a finite number/,
    ],
    [
      "half of a surrogate pair",
      '{"chosen":"\\ud800","rejected":"r"}',
      /chosen: holds half of a surrogate pair/,
    ],
    [
      "a comma before the end",
      '{"chosen":"a","rejected":"r",}',
      /not valid JSON.*a comma before the closing bracket/,
    ],
    ["very deep JSON", `{"a":${"[".repeat(100_000)}`, /nested deeper than 500 levels/],
    ["invalid UTF-8", Buffer.from(pair("caf\xe9"), "latin1"), /not valid UTF-8; convert the file to UTF-8/],
    ["a line that is cut off", good.slice(0, 20), /not valid JSON/],
    ["a number", "3", /expected a JSON object, found the number 3/],
  ])("%s", async (_, bad, message) => {
    const lines = [Buffer.from(`${good}\n`), Buffer.from(bad), Buffer.from(`\n${pair("b")}`)];
    const path = write("bad.jsonl", Buffer.concat(lines));
    const error = await readPreferences(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(new RegExp(`^${path}:2: ${message.source}`));
    const log = new ReadingLog();
    const records = await readPreferences(path, { skipBadLines: true, log });
    expect(records.map((r) => r.content.replies[0])).toEqual(["a", "b"]);
    expect(log.examples).toEqual([expect.objectContaining({ where: `${path}:2` })]);
    expect(log.bad).toBe(1);
  });
});

describe("no file of records: refused, also with --skip-bad-lines", () => {
  test.each<[string, () => string, string]>([
    ["an empty file", () => write("empty.jsonl", ""), "no records"],
    ["only white space", () => write("white.jsonl", " \n\n"), "no records"],
    ["an empty list", () => write("empty.json", "[]"), "no records"],
    ["a table of a header", () => write("header.csv", "chosen,rejected\n"), "no records"],
    ["a binary file", () => write("binary.jsonl", Buffer.from([1, 2, 0, 255])), "binary data"],
    ["UTF-16", () => write("wide.jsonl", Buffer.from(`\u{feff}${good}`, "utf16le")), "UTF-16 text"],
    ["a file that isn't there", () => join(dirname(write("x", "")), "none.jsonl"), "no such file"],
    ["a folder", () => folder(), "a folder; name its files"],
  ])("%s", async (_, make, message) => {
    const path = make();
    for (const skipBadLines of [false, true]) {
      const error = await readPreferences(path, { skipBadLines }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toContain(`${path}: ${message}`);
    }
  });
});

function folder(): string {
  const path = join(dirname(write("x", "")), "folder");
  mkdirSync(path, { recursive: true });
  return path;
}
