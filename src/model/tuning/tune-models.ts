/** @file Tunes for models, one target after the other, and keeps what is found in the user's cache folder. */
import { RmtrainError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { readEntries, tuningFile, writeEntries } from "../../kernels/tuning/store.ts";
import { type TuningTarget, targetName } from "../../kernels/tuning/table.ts";
import { type Tuned, tune } from "../../kernels/tuning/tune.ts";
import { modelTargets, type TunedModel } from "./targets.ts";

export interface TuneOptions {
  /** Measures again what the table has. */
  readonly force: boolean;
  /** @param done of `total` targets, this one included; those that the table has are not among them */
  readonly found: (tuned: Tuned, done: number, total: number) => void;
}

export interface TuneResult {
  readonly file: string;
  /** Targets of the models, those that were measured now, and those that are not left to the default. */
  readonly targets: number;
  readonly measured: number;
  readonly chosen: number;
}

/**
 * @param gpu opened with no variant forced and without a table
 * @throws RmtrainError where there is no folder to keep the table in
 */
export async function tuneModels(
  gpu: Gpu,
  models: readonly TunedModel[],
  { force, found }: TuneOptions,
): Promise<TuneResult> {
  const file = await tuningFile(gpu.facts);
  if (file === undefined)
    throw new RmtrainError("There is no folder to keep the table in: let XDG_CACHE_HOME name one");
  const targets = new Map<string, TuningTarget>();
  for (const model of models)
    for (const target of await modelTargets(gpu, model)) targets.set(targetName(target), target);
  const entries = new Map((await readEntries(file)).map((entry) => [targetName(entry), entry]));
  const wanted = [...targets].filter(([name]) => force || !entries.has(name));
  for (const [i, [name, target]] of wanted.entries()) {
    const tuned = await tune(gpu, target);
    // Of each target at once: whoever interrupts it keeps what is done.
    if (tuned !== undefined) {
      entries.set(name, tuned.entry);
      await writeEntries(file, gpu.facts, [...entries.values()]);
      found(tuned, i + 1, wanted.length);
    }
    gpu.trim();
  }
  const chosen = [...targets.keys()].filter((name) => (entries.get(name)?.variant ?? null) !== null);
  return { file, targets: targets.size, measured: wanted.length, chosen: chosen.length };
}
