/** @file Rows of files: several in order, gzip undone, damage named. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Row, readRows } from "../../../src/data/sources/rows.ts";
import { InputError } from "../../../src/errors.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "rmtrain-rows-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

async function rows(paths: string | readonly string[]): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of readRows(paths)) all.push(row);
  return all;
}

test("several files, one after the other, each row with its place", async () => {
  const [a, b] = [await write("a.jsonl", "1\n\n2"), await write("b.jsonl", "{\n3\n")];
  expect(await rows([a, b])).toEqual([
    { where: `${a}:1`, file: a, value: 1 },
    { where: `${a}:3`, file: a, value: 2 },
    { where: `${b}:1`, file: b, problem: expect.stringMatching(/^not valid JSON/) },
    { where: `${b}:2`, file: b, value: 3 },
  ]);
});

test("gzip is undone, by content, also where it is larger than the part that is looked at first", async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ i }));
  const zipped = gzipSync(lines.join("\n"));
  for (const name of ["z.jsonl.gz", "misnamed.jsonl"]) {
    const read = await rows(await write(name, zipped));
    expect(read.map((row) => "value" in row && row.value)).toEqual(lines.map((line) => JSON.parse(line)));
  }
});

test("several gzip members in one file are read as one", async () => {
  const path = await write("members.jsonl.gz", Buffer.concat([gzipSync("1\n"), gzipSync("2\n")]));
  expect((await rows(path)).map((row) => "value" in row && row.value)).toEqual([1, 2]);
});

test("damaged gzip is an error, and so is a .gz that is none", async () => {
  const zipped = gzipSync(Array.from({ length: 5000 }, (_, i) => `{"i":${i * 7919}}`).join("\n"));
  const flipped = Uint8Array.from(zipped, (byte, i) => (i === zipped.length - 6 ? byte ^ 1 : byte));
  for (const [name, content, message] of [
    [
      "cut.jsonl.gz",
      zipped.subarray(0, zipped.length / 2),
      /cut.jsonl.gz: damaged gzip: the file ends too early/,
    ],
    ["flipped.jsonl.gz", flipped, /flipped.jsonl.gz: damaged gzip: incorrect data check/],
    ["none.jsonl.gz", "{}\n", /none.jsonl.gz: not gzip/],
  ] as const) {
    const error = await rows(await write(name, content)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  }
});

test("an empty file has no rows", async () => {
  expect(await rows([await write("empty.jsonl", ""), await write("empty.jsonl.gz", "")])).toEqual([]);
});

test("whoever stops early is not kept waiting", async () => {
  const path = await write("long.jsonl.gz", gzipSync("1\n".repeat(1e6)));
  for await (const row of readRows(path)) {
    expect(row).toHaveProperty("value", 1);
    break;
  }
});
