/** @file Files of records for tests of their reading. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Columns } from "../../../src/data/sources/columns.ts";
import { type Row, readRows } from "../../../src/data/sources/rows.ts";

/** A folder for one test file, removed at its end, and a way to write into it. */
export function useFolder(): (name: string, content: string | Uint8Array) => string {
  const dir = mkdtempSync(join(tmpdir(), "rmtrain-rows-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  return (name, content) => {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  };
}

export async function rows(paths: string | readonly string[], columns?: Columns): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of readRows(paths, columns)) all.push(row);
  return all;
}

/** What each row holds, or its problem. */
export async function values(path: string, columns?: Columns): Promise<unknown[]> {
  return (await rows(path, columns)).map((row) => ("value" in row ? row.value : row.problem));
}
