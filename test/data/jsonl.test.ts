/** @file JSON Lines: any chunking gives the same lines; damage is named by file and line. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JsonlLine, parseJsonl, readJsonl } from "../../src/data/jsonl.ts";
import { InputError } from "../../src/errors.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "rmtrain-jsonl-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function collect(lines: AsyncIterable<JsonlLine>): Promise<JsonlLine[]> {
  const all: JsonlLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

const parse = (text: string | Uint8Array, cuts: readonly number[] = []) =>
  collect(parseJsonl(chunks(typeof text === "string" ? new TextEncoder().encode(text) : text, cuts), "f"));

test("values and line numbers survive any chunking, line ending, byte order mark and blank lines", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.jsonValue(), { nil: undefined })),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat()),
      async (values, ending, mark, final, cuts) => {
        const rows = values.map((value) => (value === undefined ? " " : JSON.stringify(value)));
        const text = (mark ? "\u{feff}" : "") + rows.join(ending) + (final ? ending : "");
        const expected = rows.flatMap((row, i) =>
          row === " " ? [] : [{ line: i + 1, value: JSON.parse(row) }],
        );
        expect(await parse(text, cuts)).toEqual(expected);
      },
    ),
  );
});

test("a file is read, and stdin's name stands for '-'", async () => {
  const path = join(dir, "a.jsonl");
  await writeFile(path, '{"a":1}\n\n{"a":2}');
  expect(await collect(readJsonl(path))).toEqual([
    { line: 1, value: { a: 1 } },
    { line: 3, value: { a: 2 } },
  ]);
});

test("bad input is an InputError that names file and line", async () => {
  await expect(collect(readJsonl(join(dir, "none")))).rejects.toThrow(/none: no such file/);
  await expect(collect(readJsonl(dir))).rejects.toThrow(/a folder/);
  await expect(collect(readJsonl(join(dir, "none")))).rejects.toBeInstanceOf(InputError);
  await expect(parse("1\n{]\n")).rejects.toThrow(/^f:2: not valid JSON/);
  await expect(parse('\n{"margin": NaN}')).rejects.toThrow(/^f:2: .*no NaN and no Infinity/);
  await expect(parse(Uint8Array.of(0x31, 0x0a, 0x22, 0xff, 0x22))).rejects.toThrow(/^f:2: not valid UTF-8/);
  await expect(parse("1\n\u{feff}2")).rejects.toThrow(/^f:2: not valid JSON/);
});
