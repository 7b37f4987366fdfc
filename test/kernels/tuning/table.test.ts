/** @file Tables of choices: what they find, their hash, and their files in the user's cache folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openGpu } from "../../../src/kernels/open.ts";
import { loadTuning } from "../../../src/kernels/tuning/load.ts";
import { shippedTables } from "../../../src/kernels/tuning/shipped-tables.ts";
import { readEntries, tuningFile, writeEntries } from "../../../src/kernels/tuning/store.ts";
import { parseEntry, type TuningEntry, TuningTable } from "../../../src/kernels/tuning/table.ts";
import { variantRegistry } from "../../../src/kernels/variant-registry.ts";
import { isVariant } from "../../../src/kernels/variants.ts";

const entry = (more: Partial<TuningEntry> = {}): TuningEntry => ({
  operation: "linear",
  rows: 6,
  cols: 4,
  dtype: "bf16",
  fewRows: false,
  variant: "tile",
  ...more,
});

let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "rmtrain-tuning-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

it("a choice is found by everything that it was made for, and by nothing less", async () => {
  const table = await TuningTable.of([entry(), entry({ fewRows: true, variant: "rows" })], "test");
  expect(table.find("linear", 6, 4, "bf16", false)).toBe("tile");
  expect(table.find("linear", 6, 4, "bf16", true)).toBe("rows");
  expect(table.find("linear", 4, 6, "bf16", false)).toBeUndefined();
  expect(table.find("linear", 6, 4, "f32", false)).toBeUndefined();
  expect(table.find("attention", 6, 4, "bf16", false)).toBeUndefined();
});

it("later entries replace earlier ones; the hash is that of the choices, in any order", async () => {
  const few = entry({ fewRows: true });
  const [a, b] = await Promise.all([
    TuningTable.of([entry({ variant: "rows" }), few, entry()], "a"),
    TuningTable.of([entry(), entry({ rows: 8, variant: null }), few], "b"),
  ]);
  expect(a.find("linear", 6, 4, "bf16", false)).toBe("tile");
  expect(a.hash).toBe(b.hash);
  expect((await TuningTable.of([entry()], "")).hash).not.toBe(a.hash);
  expect((await TuningTable.of([entry({ variant: null })], "")).hash).toBe("default");
});

it("a table is written whole, and read by the next process on the same device alone", async () => {
  using gpu = await openGpu({ backend: "null", tuning: "none" });
  expect(gpu.variants.inUse).toBe("default");
  const file = (await tuningFile(gpu.facts)) ?? "";
  expect(await readEntries(file)).toEqual([]);
  await writeEntries(file, gpu.facts, [entry()]);
  expect(readdirSync(join(cache, "rmtrain", "tuning"))).toHaveLength(1);
  using next = await openGpu({ backend: "null", variants: { attention: "portable" } });
  const own = (await TuningTable.of([entry()], "")).hash;
  expect(next.variants.tuned?.origin).toBe(`1 entries of ${file}`);
  expect(next.variants.inUse).toBe(`table ${own}, attention=portable`);
  const driver = { ...gpu.facts, description: "another driver" };
  expect(await tuningFile(driver)).not.toBe(file);
  expect((await loadTuning(driver)).hash).toBe("default");
});

it("a damaged file, another format and entries that are none cost the choices, not the run", async () => {
  using gpu = await openGpu({ backend: "null", tuning: "none" });
  const file = (await tuningFile(gpu.facts)) ?? "";
  await writeEntries(file, gpu.facts, [entry()]);
  const whole = readFileSync(file, "utf8");
  for (const text of [whole.slice(0, -20), "", "[]", "null", whole.replace("tuning/1", "tuning/2")]) {
    writeFileSync(file, text);
    expect(await readEntries(file), text).toEqual([]);
  }
  writeFileSync(file, whole.replace('"rows": 6', '"rows": "6"'));
  expect(await readEntries(file)).toEqual([]);
  expect(parseEntry({ ...entry(), dtype: "f64" })).toBeUndefined();
});

it("a home without a cache, or that can't be written to, has no table", async () => {
  vi.stubEnv("XDG_CACHE_HOME", "/proc/nowhere/cache");
  using gpu = await openGpu({ backend: "null" });
  expect(await tuningFile(gpu.facts)).toBeUndefined();
  expect(gpu.variants.inUse).toBe("default");
});

it("shipped tables name operations and variants that exist", () => {
  for (const { entries } of shippedTables) {
    for (const { operation, variant } of entries) {
      const of = variantRegistry.find((known) => known.operation === operation);
      expect(of, operation).toBeDefined();
      if (of !== undefined && variant !== null)
        expect(isVariant(of, variant), `${operation}=${variant}`).toBe(true);
    }
  }
});
