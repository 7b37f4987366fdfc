/** @file --columns: which fields of the records are meant. */
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { readPreferences } from "../../../src/data/preference.ts";
import { parseColumns } from "../../../src/data/sources/columns.ts";
import { useFolder, values } from "./read-rows.ts";

const write = useFolder();

test("names are pairs, the last one counts; an empty one leaves the field out", () => {
  expect(parseColumns("chosen=best, rejected = the worst")).toEqual({
    chosen: "best",
    rejected: "the worst",
  });
  expect(parseColumns("system=")).toEqual({ system: "" });
  expect(parseColumns("margin=a=b")).toEqual({ margin: "a=b" });
  for (const text of ["chosen", "", "=x", "a=b,"])
    expect(() => parseColumns(text), text).toThrow("expected FIELD=NAME");
});

const columns = { chosen: "best", rejected: "worst", margin: "gap", prompt: "q" };
test.each<[string, string | Uint8Array]>([
  ["a.jsonl", '{"q":"p","best":"a","worst":"b","gap":0.5,"x":1}'],
  ["a.json", '[{"q":"p","best":"a","worst":"b","gap":0.5,"x":1}]'],
  ["a.csv", "q,best,worst,gap,x\np,a,b,0.5,1\n"],
  [
    "a.parquet",
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "q", data: ["p"] },
          { name: "best", data: ["a"] },
          { name: "worst", data: ["b"] },
          { name: "gap", data: [0.5], type: "DOUBLE" },
          { name: "x", data: [1] },
        ],
      }),
    ),
  ],
])("%s", async (name, content) => {
  const [record] = await readPreferences(write(name, content), { columns });
  expect(record).toMatchObject({ content: { prompt: "p", replies: ["a", "b"] }, margin: 0.5 });
  expect(Object.keys(record?.extra ?? {})).toEqual(["x"]);
});

test("names may be exchanged; a mapped field takes the place of the one of that name", async () => {
  const path = write("swap.jsonl", '{"prompt":"p","question":"q","chosen":"a","rejected":"b"}');
  expect(await values(path, { chosen: "rejected", rejected: "chosen", prompt: "question" })).toEqual([
    { prompt: "q", chosen: "b", rejected: "a" },
  ]);
});

test("an ambiguous field can be left out", async () => {
  const path = write("input.jsonl", '{"prompt":"p","input":"i","chosen":"a","rejected":"b"}');
  await expect(readPreferences(path)).rejects.toThrow("leave prompt out with --columns prompt=");
  const [record] = await readPreferences(path, { columns: { input: "" } });
  expect(record?.content).toEqual({ kind: "text", prompt: "p", replies: ["a", "b"] });
});

test("a name that the first row doesn't have is refused, with the names that there are", async () => {
  const path = write("none.jsonl", '{"best":"a","worst":"b"}\n{"chosen":"a"}');
  await expect(readPreferences(path, { columns: { chosen: "good" }, skipBadLines: true })).rejects.toThrow(
    `${path}:1: --columns chosen=good: no field good; there are best, worst`,
  );
});

test("a name that no record knows is refused", async () => {
  const path = write("choosen.jsonl", '{"best":"a","worst":"b"}');
  await expect(readPreferences(path, { columns: { choosen: "best" } })).rejects.toThrow(
    "--columns choosen=best: no field choosen is read",
  );
});
