/** @file Runs that are stopped and resumed, and what two runs' folders must have in common. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import type { TrainArguments } from "../../../src/train/options.ts";
import { TrainingInterrupted } from "../../../src/train/state/interrupted.ts";
import { type TrainResult, train } from "../../../src/train/train.ts";

/** A run that is asked to stop as soon as `step` is reported as saved. */
export async function stoppedAt(
  gpu: Gpu,
  options: TrainArguments,
  step: number,
  resume?: string,
): Promise<void> {
  const controller = new AbortController();
  const reporter = {
    note() {},
    saved: (at: number) => {
      if (at === step) controller.abort();
    },
  };
  const run = train(gpu, options, reporter, { signal: controller.signal, resume });
  await expect(run).rejects.toBeInstanceOf(TrainingInterrupted);
}

export interface Resumed extends TrainResult {
  readonly notes: readonly string[];
}

export async function resumed(gpu: Gpu, options: TrainArguments, resume = "auto"): Promise<Resumed> {
  const notes: string[] = [];
  const reporter = { note: (text: string) => notes.push(text) };
  const result = await train(gpu, options, reporter, { resume });
  return { ...result, notes };
}

/**
 * Files of a run that must be equal byte for byte wherever it was cut: models, metrics, run.json, the last state. Not
 * report.html, which says where it stands and how long the run took.
 */
export function runFiles(out: string): Map<string, Buffer> {
  const states = readdirSync(out).filter((name) => name.startsWith("checkpoint-"));
  const last = states.sort((a, b) => Number(a.slice(11)) - Number(b.slice(11))).at(-1);
  const folders = [".", "last", ...(last === undefined ? [] : [last])];
  const files = new Map<string, Buffer>();
  for (const folder of folders) {
    if (!existsSync(join(out, folder))) continue;
    for (const entry of readdirSync(join(out, folder), { withFileTypes: true })) {
      const name = join(folder, entry.name);
      if (entry.isFile() && entry.name !== "report.html") files.set(name, readFileSync(join(out, name)));
    }
  }
  return files;
}

/** The two folders hold the same files with the same bytes. */
export function expectSameRun(found: string, expected: string): void {
  const [a, b] = [runFiles(found), runFiles(expected)];
  expect([...a.keys()].sort()).toEqual([...b.keys()].sort());
  for (const [name, bytes] of a) expect(bytes.equals(b.get(name) ?? Buffer.alloc(0)), name).toBe(true);
}
