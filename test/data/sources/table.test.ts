/** @file CSV and TSV: what a cell holds, which row it is in, and rows that are none. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { rows, useFolder, values } from "./read-rows.ts";

const write = useFolder();
const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

test("any text in quoted cells comes back, line breaks and separators included", async () => {
  const cell = fc.string({ unit: fc.constantFrom("a", ",", "\t", '"', "\n", "\r\n", "é", "漢", " ", "'") });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { minLength: 1 }),
      fc.constantFrom(",", "\t"),
      async (cells, separator) => {
        const lines = [["chosen", "rejected"], ...cells].map((row) => row.map(quoted).join(separator));
        const path = write(separator === "," ? "any.csv" : "any.tsv", `${lines.join("\n")}\n`);
        expect(await values(path)).toEqual(cells.map(([chosen, rejected]) => ({ chosen, rejected })));
      },
    ),
    { numRuns: 50 },
  );
});

test("rows are counted below the header, whatever lines they take", async () => {
  const path = write("rows.csv", '\u{feff}"chosen",rejected\r\n"a\nb",c\r\n\r\nd,e\r\n');
  expect(await rows(path)).toEqual([
    { where: `${path}:1`, file: path, value: { chosen: "a\nb", rejected: "c" } },
    { where: `${path}:2`, file: path, value: { chosen: "d", rejected: "e" } },
  ]);
});

describe("cells", () => {
  test.each<[string, string, unknown]>([
    ["margin", "0.5", 0.5],
    ["margin", " -1e-3", -1e-3],
    ["margin", "", null],
    ["margin", "nan", "nan"],
    ["label", "1", 1],
    ["id", "", null],
    ["id", "007", "007"],
    ["chosen_ids", "[1, 2]", [1, 2]],
    ["chosen_ids", "1 2", "1 2"],
    ["chosen", "", ""],
    ["chosen", "12", "12"],
    ["chosen", '[{"role": "user", "content": "q"}]', [{ role: "user", content: "q" }]],
    ["chosen", '{"from": "gpt", "value": "a"}', { from: "gpt", value: "a" }],
    ["chosen", '{"answer": 42}', '{"answer": 42}'],
    ["chosen", "[1, 2, 3]", "[1, 2, 3]"],
    ["chosen", "[not JSON", "[not JSON"],
    ["history", '[["q", "a"]]', [["q", "a"]]],
  ])("%s: %j", async (field, cell, value) => {
    expect(await values(write("cell.csv", `x,${field}\n1,${quoted(cell)}\n`))).toEqual([
      { x: "1", [field]: value },
    ]);
  });

  test("messages in Python's notation are told, they would pass for a text", async () => {
    const path = write("python.csv", `chosen\n"[{'role': 'user', 'content': 'q'}]"\n`);
    expect(await values(path)).toEqual(["chosen: messages in Python's notation; write them with json.dumps"]);
  });
});

describe("bad rows leave the others alone", () => {
  test("too few and too many cells", async () => {
    expect(await values(write("count.csv", "a,b\n1\n2,3\n4,5,6\n7,8\n"))).toEqual([
      "1 cells under a header of 2 columns",
      { a: "2", b: "3" },
      "3 cells under a header of 2 columns",
      { a: "7", b: "8" },
    ]);
  });

  test("invalid UTF-8", async () => {
    const path = write("latin1.csv", Buffer.from("a,b\n1,2\ncaf\xe9,3\n4,5\n", "latin1"));
    expect(await values(path)).toEqual([
      { a: "1", b: "2" },
      "a: not valid UTF-8; convert the file to UTF-8",
      { a: "4", b: "5" },
    ]);
  });

  test("in TSV a quote within a cell is itself", async () => {
    expect(await values(write("quote.tsv", 'a\tb\n5" disk\tsays "hi"\n'))).toEqual([
      { a: '5" disk', b: 'says "hi"' },
    ]);
  });
});

test.each([
  ["twice.csv", "a,b,a\n1,2,3\n", 'two columns are called "a"'],
  ["quote.csv", 'a,b\n1,2\n"3"x,4\n5,6\n', "not a valid table: Invalid Closing Quote"],
  ["open.csv", 'a,b\n1,2\n"3,4\n5,6\n', "not a valid table: Quote Not Closed"],
])("%s is refused", async (name, content, message) => {
  const path = write(name, content);
  await expect(values(path)).rejects.toThrow(InputError);
  await expect(values(path)).rejects.toThrow(`${path}: ${message}`);
});

test("a table without rows, and one without a header", async () => {
  expect(await values(write("header.csv", "a,b\n"))).toEqual([]);
  expect(await values(write("none.csv", ""))).toEqual([]);
});
