/** @file Formats are told by name, and by content where the name says nothing. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { useFolder, values } from "./read-rows.ts";

const write = useFolder();
const record = [{ chosen: "a", rejected: "b" }];
const line = JSON.stringify(record[0]);

test.each([
  ["lines.jsonl", line],
  ["lines.json", line],
  ["lines", `\n  ${line}\n`],
  ["list.json", `[${line}]`],
  ["list.jsonl", `\n[\n  ${line}\n]\n`],
  ["list", `\u{feff} [${line}]`],
  ["table.csv", "chosen,rejected\na,b\n"],
  ["table.tsv", "chosen\trejected\r\na\tb\r\n"],
  ["commas", '"chosen",rejected\na,b\n'],
  ["tabs.txt", "chosen\trejected\na\tb"],
])("%s", async (name, content) => {
  expect(await values(write(name, content))).toEqual(record);
  expect(await values(write(`${name}.gz`, gzipSync(content)))).toEqual(record);
});

test.each<[string, string | Uint8Array, string]>([
  ["a.jsonl", Buffer.from(`\u{feff}${line}`, "utf16le"), "UTF-16 text; convert it to UTF-8"],
  ["be.csv", Uint8Array.of(0xfe, 0xff, 0, 0x61), "UTF-16 text; convert it to UTF-8"],
  [
    "zeros.jsonl",
    Buffer.from(line, "utf16le"),
    "binary data; expected JSON Lines, a JSON list, CSV, TSV or Parquet",
  ],
  ["model.bin", Uint8Array.of(0x89, 0x50, 0, 1, 2), "binary data"],
  ["a.jsonl.zst", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0), "compressed with zstd; decompress it first"],
  ["a.jsonl.bz2", "BZh91AY", "compressed with bzip2"],
  ["a.xlsx", "PK\x03\x04", "a zip archive (or a spreadsheet)"],
  ["a.arrow", "ARROW1\0\0", "an Arrow file"],
  ["a.parquet", line, "not Parquet, although its name says so"],
  ["empty.parquet", "", "not Parquet, although its name says so"],
])("%s is refused", async (name, content, message) => {
  const path = write(name, content);
  const error = await values(path).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toContain(`${path}: ${message}`);
});

test("what is neither is read as JSON Lines, and each line is refused as such", async () => {
  expect(await values(write("notes.txt", "hello, this is\nno data"))).toEqual([
    expect.stringMatching(/^not valid JSON/),
    expect.stringMatching(/^not valid JSON/),
  ]);
});
