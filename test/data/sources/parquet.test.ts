/** @file Parquet: nested values, 64-bit integers, compression, several row groups, damage. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import type { ChatContent } from "../../../src/data/content.ts";
import { readPreferences } from "../../../src/data/preference.ts";
import { ReadingLog } from "../../../src/data/reading.ts";
import { InputError } from "../../../src/errors.ts";
import { rows, useFolder, values } from "./read-rows.ts";

const write = useFolder();
type Options = Parameters<typeof parquetWriteBuffer>[0];

function parquet(name: string, options: Options): string {
  return write(name, new Uint8Array(parquetWriteBuffer(options)));
}

const column = (name: string, data: unknown[], type: NonNullable<Options["columnData"][number]["type"]>) => ({
  name,
  data,
  type,
});

/**
 * Five rows in two row groups as pyarrow 25.0.1 wrote them: messages as lists of structs; its columns compressed with
 * zstd, snappy, gzip, brotli, lz4 and not at all.
 */
const pyarrow = fileURLToPath(new URL("ultrafeedback-like.parquet", import.meta.url));

test("pyarrow's file in the layout of UltraFeedback, whatever its columns are compressed with", async () => {
  const log = new ReadingLog();
  const records = await readPreferences(pyarrow, { log });
  expect(log.lines()).toEqual([`${pyarrow}: 5 records, UltraFeedback's conversations (prompt is a string)`]);
  for (const [i, { where, content, margin, extra }] of records.entries()) {
    expect(where).toBe(`${pyarrow}:${i + 1}`);
    expect(extra).toEqual({ prompt_id: i, score_chosen: 8.5 + i / 4 });
    expect(margin).toBe(i === 2 ? undefined : i / 2);
    expect((content as ChatContent).prompt).toEqual([{ role: "user", content: `What is ${i} + ${i}?` }]);
    expect((content as ChatContent).replies).toEqual([
      [{ role: "assistant", content: `${i} + ${i} = ${2 * i}. 🎉` }],
      [{ role: "assistant", content: "I don't know." }],
    ]);
  }
});

test("the same from a gzipped file, which has to be unpacked first", async () => {
  const path = write("packed.parquet.gz", gzipSync(readFileSync(pyarrow)));
  const [packed, plain] = [await values(path), await values(pyarrow)];
  expect(packed).toEqual(plain);
});

test("64-bit integers become numbers where a number can hold them, dates become text", async () => {
  const path = parquet("types.parquet", {
    columnData: [
      column("small", [7n, -7n], "INT64"),
      column("large", [2n ** 60n, 2n ** 53n - 1n], "INT64"),
      column("when", [new Date(0), new Date(86_400_000)], "TIMESTAMP"),
      column("yes", [true, false], "BOOLEAN"),
      column("half", [0.5, null], "DOUBLE"),
      column("json", [{ a: [1] }, null], "JSON"),
    ],
  });
  expect(await values(path)).toEqual([
    {
      small: 7,
      large: "1152921504606846976",
      when: "1970-01-01T00:00:00.000Z",
      yes: true,
      half: 0.5,
      json: { a: [1] },
    },
    { small: -7, large: 2 ** 53 - 1, when: "1970-01-02T00:00:00.000Z", yes: false, half: null, json: null },
  ]);
});

test("text that isn't marked as text is text all the same; what is none stays bytes", async () => {
  const bytes = [Buffer.from("é"), Buffer.from([0xff, 0xd8])];
  const path = parquet("bytes.parquet", { columnData: [column("image", bytes, "BYTE_ARRAY")] });
  expect(await values(path)).toEqual([{ image: "é" }, { image: new Uint8Array([0xff, 0xd8]) }]);
});

test("text that is no UTF-8 is the problem of its row alone", async () => {
  const path = parquet("latin1.parquet", {
    columnData: [
      { name: "chosen", data: [Buffer.from("ok"), Buffer.from("caf\xe9", "latin1"), Buffer.from("ok")] },
    ],
    schema: [
      { name: "root", num_children: 1 },
      { name: "chosen", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    ],
  });
  expect(await values(path)).toEqual([{ chosen: "ok" }, "chosen: not valid UTF-8", { chosen: "ok" }]);
});

test("rows are numbered through all row groups", async () => {
  const path = parquet("groups.parquet", {
    columnData: [
      column(
        "n",
        Array.from({ length: 25 }, (_, i) => i),
        "INT32",
      ),
    ],
    rowGroupSize: 10,
  });
  expect((await rows(path)).map((row) => row.where)).toEqual(
    Array.from({ length: 25 }, (_, i) => `${path}:${i + 1}`),
  );
});

test("a file without rows has none", async () => {
  expect(await values(parquet("none.parquet", { columnData: [column("n", [], "INT32")] }))).toEqual([]);
});

test.each<[string, (bytes: Buffer) => Uint8Array]>([
  ["cut.parquet", (bytes) => bytes.subarray(0, bytes.length - 100)],
  ["magic.parquet", (bytes) => bytes.fill(0, bytes.length - 4)],
  ["stub.parquet", (bytes) => bytes.subarray(0, 4)],
  ["pages.parquet", (bytes) => bytes.fill(0xff, 4, 400)],
  ["footer.parquet", (bytes) => bytes.fill(0xff, bytes.length - 300, bytes.length - 8)],
])("damage is an error that names the file: %s", async (name, damage) => {
  const path = write(name, damage(readFileSync(pyarrow)));
  const error = await values(path).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toContain(`${path}: damaged Parquet`);
});
