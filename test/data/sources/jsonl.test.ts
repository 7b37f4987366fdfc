/** @file JSON Lines: any chunking gives the same lines; a bad line is told and the next one is read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonl } from "../../../src/data/sources/jsonl.ts";
import type { Entry } from "../../../src/data/sources/row.ts";

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function parse(text: string | Uint8Array, cuts: readonly number[] = []): Promise<Entry[]> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const entries: Entry[] = [];
  for await (const entry of parseJsonl(chunks(bytes, cuts))) entries.push(entry);
  return entries;
}

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
          row === " " ? [] : [{ row: i + 1, value: JSON.parse(row) }],
        );
        expect(await parse(text, cuts)).toEqual(expected);
      },
    ),
  );
});

test("a bad line has a reason, and the next one is read all the same", async () => {
  for (const [bad, problem] of [
    ["{]", /^not valid JSON/],
    ['{"margin": NaN}', /^not valid JSON.*no NaN and no Infinity/],
    ['{"a": 1,}', /^not valid JSON.*a comma before the closing bracket/],
    [Uint8Array.of(0x22, 0xff, 0x22), /^not valid UTF-8/],
    ["\u{feff}2", /^not valid JSON/],
    ["[".repeat(100_000), /^nested deeper than 500 levels/],
    ["[".repeat(501) + "]".repeat(501), /^nested deeper than 500 levels/],
  ] as const) {
    const line = typeof bad === "string" ? new TextEncoder().encode(bad) : bad;
    const entries = await parse(Buffer.concat([Buffer.from("1\n"), line, Buffer.from("\n3")]));
    expect(entries).toEqual([
      { row: 1, value: 1 },
      { row: 2, problem: expect.stringMatching(problem) },
      { row: 3, value: 3 },
    ]);
  }
});

test("nesting within the limit, brackets in strings and brackets side by side are no depth", async () => {
  for (const value of [
    JSON.parse("[".repeat(500) + "]".repeat(500)),
    "[".repeat(2000),
    `\\"${"[{".repeat(2000)}`,
    Array.from({ length: 2000 }, () => []),
  ])
    expect(await parse(JSON.stringify(value))).toEqual([{ row: 1, value }]);
});
