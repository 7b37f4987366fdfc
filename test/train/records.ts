/** @file Preference records in files, and runs of the trainer on them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { InputError } from "../../src/errors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { TrainArguments } from "../../src/train/options.ts";
import { type TrainResult, train } from "../../src/train/train.ts";
import { temporaryFolder } from "../model/tiny-model.ts";

/** A new file that holds one line for each record; a string is a line as it is. */
export function jsonl(records: readonly unknown[], name = "data.jsonl"): string {
  const path = join(temporaryFolder(), name);
  const lines = records.map((r) => (typeof r === "string" ? r : JSON.stringify(r)));
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

export interface IdRecord {
  readonly prompt_ids: readonly number[];
  readonly chosen_ids: readonly number[];
  readonly rejected_ids: readonly number[];
  readonly [field: string]: unknown;
}

/** Pairs of ids below 40; the chosen reply ends in one of the upper twenty, and three records share each prompt. */
export function idPairs(count: number): IdRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const prompt_ids = Array.from(
      { length: 2 + (Math.floor(i / 3) % 4) },
      (_, j) => (Math.floor(i / 3) + j) % 40,
    );
    const body = Array.from({ length: i % 4 }, (_, j) => (7 * i + j) % 40);
    return {
      prompt_ids,
      chosen_ids: [...body, 20 + (i % 20)],
      rejected_ids: [...body, (3 * i) % 20, i % 20],
    };
  });
}

/** A run into a new folder. */
export async function run(
  gpu: Gpu,
  options: Pick<TrainArguments, "model" | "data"> & Partial<TrainArguments>,
): Promise<TrainResult & { readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const out = join(temporaryFolder(), "out");
  const result = await train(
    gpu,
    { epochs: 2, batchSize: 8, out, ...options },
    { note: (text) => notes.push(text) },
  );
  return { ...result, notes };
}

/** The lines of a run's metrics.jsonl. */
export function metricsOf(out: string): Record<string, number>[] {
  return readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The run is refused as bad input before any device is opened, and nothing is written. */
export async function expectRefused(
  options: Pick<TrainArguments, "model" | "data"> & Partial<TrainArguments>,
  message: RegExp,
): Promise<void> {
  const out = options.out ?? join(temporaryFolder(), "out");
  const before = existsSync(out) ? readdirSync(out) : undefined;
  const opened = () => expect.fail("the device was opened");
  const error: unknown = await train(opened, { ...options, out }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  expect(existsSync(out) ? readdirSync(out) : undefined).toEqual(before);
}
