/** @file Which files a name or a pattern stands for. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFiles, sourceName } from "../../../src/data/sources/files.ts";
import { InputError } from "../../../src/errors.ts";

let dir: string;
const at = (...names: string[]) => names.map((name) => join(dir, name));
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "rmtrain-files-"));
  await mkdir(join(dir, "deep", "er"), { recursive: true });
  await mkdir(join(dir, "z.jsonl"));
  for (const name of ["b.jsonl", "a.jsonl", "B.jsonl", "a[1].jsonl", "c.csv", "deep/er/d.jsonl"])
    await writeFile(join(dir, name), "");
});
afterAll(() => rm(dir, { recursive: true }));

test("the matches of a pattern are sorted, folders left out; names keep their order", async () => {
  expect(await findFiles(join(dir, "*.jsonl"))).toEqual(at("B.jsonl", "a.jsonl", "a[1].jsonl", "b.jsonl"));
  expect(await findFiles(join(dir, "**/d.*"))).toEqual(at("deep/er/d.jsonl"));
  expect(await findFiles(at("c.csv", "{b,a}.jsonl"))).toEqual(at("c.csv", "a.jsonl", "b.jsonl"));
});

test("a file that comes up twice is read once, where it came up first", async () => {
  expect(await findFiles([...at("b.jsonl", "[ab].jsonl"), `${dir}/./a.jsonl`])).toEqual(
    at("b.jsonl", "a.jsonl"),
  );
});

test("a name that exists is no pattern", async () => {
  expect(await findFiles(join(dir, "a[1].jsonl"))).toEqual(at("a[1].jsonl"));
});

test("standard input", async () => {
  expect(await findFiles("-")).toEqual(["-"]);
  expect(sourceName(["-", "b"])).toBe("stdin, b");
});

test.each([
  ["none.jsonl", "none.jsonl: no such file"],
  ["none*.jsonl", "none*.jsonl: no file matches this pattern"],
  ["deep", "deep: a folder; name its files, for example"],
])("%s is refused", async (name, message) => {
  const error = await findFiles(join(dir, name)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toContain(message);
});

test("no name at all is refused", async () => {
  await expect(findFiles([])).rejects.toThrow(InputError);
});
