/**
 * @file The tables that `rmtrain tune` wrote, one file for each device and generation of kernels, in the user's cache
 * folder. A file of other kernels is never read: it has another name.
 */
import { cacheFolder } from "../../gpu/cache-folder.ts";
import type { DeviceFacts } from "../../gpu/facts.ts";
import { kernelHash, sha256 } from "./hash.ts";
import { parseEntry, type TuningEntry } from "./table.ts";

const format = "rmtrain-tuning/1";

interface StoredTable {
  readonly format: typeof format;
  /** For readers of the file; its name has it all. */
  readonly adapter: string;
  readonly entries: readonly TuningEntry[];
}

/** All that WebGPU tells of a device and its driver, and what is in use of it. */
function deviceKey({ vendor, architecture, device, description, ...facts }: DeviceFacts): string {
  const { features, subgroupMin, subgroupMax, software } = facts;
  const parts = [vendor, architecture, device, description, software, subgroupMin, subgroupMax];
  return JSON.stringify([...parts, [...features].sort()]);
}

/**
 * Where this device's table is or would be.
 * @returns undefined in browsers and where no cache folder can be made
 */
export async function tuningFile(facts: DeviceFacts): Promise<string | undefined> {
  const folder = await cacheFolder("tuning");
  if (folder === undefined) return undefined;
  const name = await sha256(`${deviceKey(facts)}\n${await kernelHash()}`);
  return `${folder}/${name.slice(0, 24)}.json`;
}

/** A file that is missing or damaged has no entries: what it would have saved is time. */
export async function readEntries(file: string): Promise<TuningEntry[]> {
  const { readFile } = await nodeFiles();
  try {
    const stored = JSON.parse(await readFile(file, "utf8")) as { format?: unknown; entries?: unknown };
    if (stored.format !== format || !Array.isArray(stored.entries)) return [];
    return stored.entries.flatMap((value) => parseEntry(value) ?? []);
  } catch {
    return [];
  }
}

/** Whole or not at all. */
export async function writeEntries(
  file: string,
  facts: DeviceFacts,
  entries: readonly TuningEntry[],
): Promise<void> {
  const { rename, writeFile } = await nodeFiles();
  const table: StoredTable = { format, adapter: facts.description || facts.device, entries };
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(table, null, 2)}\n`);
  await rename(temporary, file);
}

/** Named through a variable so that a browser's bundler does not follow it. */
const fs = "node:fs/promises";
const nodeFiles = () => import(/* @vite-ignore */ fs) as Promise<typeof import("node:fs/promises")>;
