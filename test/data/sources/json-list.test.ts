/** @file A JSON list, item by item: any list in any chunks gives its items; damage is told where it is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseList } from "../../../src/data/sources/json-list.ts";
import type { Entry } from "../../../src/data/sources/row.ts";
import { InputError } from "../../../src/errors.ts";

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function parse(text: string, cuts: readonly number[] = []): Promise<Entry[]> {
  const bytes = new TextEncoder().encode(text);
  const source = { name: "f", head: bytes, stream: chunks(bytes, cuts), close: async () => {} };
  const entries: Entry[] = [];
  for await (const entry of parseList(source)) entries.push(entry);
  return entries;
}

test("any list, written with or without white space, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue()),
      fc.constantFrom(0, 2),
      fc.boolean(),
      fc.array(fc.nat()),
      async (list, indent, mark, cuts) => {
        const text = `${mark ? "\u{feff}" : ""} ${JSON.stringify(list, null, indent)}\n`;
        const expected = list.map((_, i) => ({ row: i + 1, value: JSON.parse(JSON.stringify(list[i])) }));
        expect(await parse(text, cuts)).toEqual(expected);
      },
    ),
  );
});

test.each([
  ["[1, {bad}, 3]", [2, /^not valid JSON/]],
  ["[1, , 3]", [2, /nothing between two commas/]],
  ["[1, 2, ]", [3, /a comma before \]/]],
  ["[1, [2}, 3]", [2, /^not valid JSON/]],
  ['[1, {"a": NaN}]', [2, /no NaN/]],
] as const)("%s: one item is bad, the others are read", async (text, [row, problem]) => {
  const entries = await parse(text);
  const bad = entries.filter((entry) => "problem" in entry);
  expect(bad).toEqual([{ row, problem: expect.stringMatching(problem) }]);
  for (const entry of entries) if ("value" in entry) expect(entry.value).toBe(entry.row);
});

test.each([
  ["[1, 2", "f: the list ends in the middle of item 2"],
  ['[1, "2, 3]', "f: the list ends in the middle of item 2"],
  ["[1, {2, 3]", "f: the list ends in the middle of item 2"],
  ["[1, 2]]", "f: more text after the end of the list"],
  ["[1] [2]", "f: more text after the end of the list"],
  ["", "f: the list ends in the middle of item 1"],
])("%s: where it ends can't be told", async (text, message) => {
  await expect(parse(text)).rejects.toThrow(InputError);
  await expect(parse(text)).rejects.toThrow(message);
});

test("an empty list has no items", async () => {
  expect(await parse("[]")).toEqual([]);
  expect(await parse("[ \n ]")).toEqual([]);
});
