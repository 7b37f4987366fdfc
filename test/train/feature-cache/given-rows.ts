/** @file Runs on a cache of numbered rows: what is there is taken and checked, the rest is added. */
import { expect } from "vitest";
import { FeatureCache } from "../../../src/train/feature-cache/cache.ts";
import { CacheFolder } from "../../../src/train/feature-cache/folder.ts";
import { keyOf, rowsOf, space, width } from "./numbered-rows.ts";

export interface ReadBack {
  /** Numbers whose rows came back. */
  readonly found: number[];
  readonly notes: string[];
}

export interface Place {
  readonly dir: string;
  readonly limit?: number;
  readonly digit?: string;
}

export const opened = ({ dir, limit = 1e9, digit = "a" }: Place, notes: string[] = []) =>
  new FeatureCache({ dir, limit }, space(digit), (text) => notes.push(text));

/** Reads what there is of the rows of `numbers`; each that comes must have its own bits, once. */
export async function readBack(place: Place, numbers: readonly number[]): Promise<ReadBack> {
  const notes: string[] = [];
  const cache = opened(place, notes);
  const numberOf = new Map(numbers.map((n) => [keyOf(n), n]));
  const found: number[] = [];
  const wanted = new Set(numberOf.keys());
  await cache.read(wanted, async ({ keys, values }) => {
    for (const [i, key] of keys.entries()) {
      const n = numberOf.get(key) ?? expect.fail("a row that nobody wanted");
      expect(values.subarray(i * width, (i + 1) * width)).toEqual(rowsOf([n]).values);
      found.push(n);
    }
  });
  await cache.close();
  expect(new Set(found).size).toBe(found.length);
  expect(wanted.size).toBe(numbers.length - found.length);
  return { found: found.sort((a, b) => a - b), notes };
}

/** As a run does: takes what is there and adds the rest. */
export async function fill(place: Place, numbers: readonly number[]): Promise<ReadBack> {
  const back = await readBack(place, numbers);
  const notes = [...back.notes];
  const cache = opened(place, notes);
  const missing = numbers.filter((n) => !back.found.includes(n));
  for (let i = 0; i < missing.length; i += 7) await cache.add(rowsOf(missing.slice(i, i + 7)));
  await cache.close();
  return { found: back.found, notes };
}

export async function bytesIn(dir: string): Promise<number> {
  const files = await new CacheFolder(dir, 0).files();
  return files.reduce((sum, { size }) => sum + size, 0);
}
