/** @file The training states in a run's folder: which there are, the newest that can be read, those to remove. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.ts";
import { removeFolder, removeTemporaries } from "../../model/atomic-file.ts";
import { readState, type TrainingState } from "./checkpoint.ts";

/** Below a run's folder: the last step's model, where it is not the best. */
export const lastFolder = "last";

export interface FoundState {
  readonly folder: string;
  readonly saved: TrainingState;
}

/** Steps of the states in a run's folder, ascending. */
export async function savedSteps(out: string): Promise<number[]> {
  const names = await readdir(out).catch(() => []);
  return names.flatMap((name) => stepOf(name) ?? []).sort((a, b) => a - b);
}

/** N of "checkpoint-N". */
export function stepOf(name: string): number | undefined {
  const [, digits] = /^checkpoint-(0|[1-9]\d*)$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** @param note told of every newer one that is damaged */
export async function newestState(
  out: string,
  note: (text: string) => void,
): Promise<FoundState | undefined> {
  for (const step of (await savedSteps(out)).reverse()) {
    const folder = join(out, `checkpoint-${step}`);
    try {
      return { folder, saved: await readState(folder) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      note(`${folder} can't be used (${error.message}); an older one is taken`);
    }
  }
  return undefined;
}

/** Removes all but the newest `limit` states. */
export async function pruneStates(out: string, limit: number): Promise<void> {
  const steps = await savedSteps(out);
  for (const step of steps.slice(0, Math.max(0, steps.length - limit)))
    await removeFolder(join(out, `checkpoint-${step}`));
}

/** A run goes on from `step`: what lies beyond it, and what a killed writer left, goes away. */
export async function clearBeyond(out: string, step: number): Promise<void> {
  for (const later of (await savedSteps(out)).filter((s) => s > step))
    await removeFolder(join(out, `checkpoint-${later}`));
  await removeTemporaries(out);
  await removeTemporaries(join(out, lastFolder));
}

/** The last step's model is the best: a folder of an earlier end of this run would say something else. */
export async function removeLast(out: string): Promise<void> {
  await rm(join(out, lastFolder), { recursive: true, force: true });
}
