/** @file The folder that a run writes to. */
import { mkdir, readdir } from "node:fs/promises";
import { InputError } from "../errors.ts";
import { metricsFile } from "./metrics.ts";

/** What holds a model: never written over, but by the run that made it. */
const models: readonly string[] = [
  "config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "adapter_config.json",
  "adapter_model.safetensors",
];
/** What a run, perhaps a stopped one, has written here; run.json alone is a run that had no results. */
const traces: readonly string[] = [metricsFile];

/**
 * @param allowed begun: a run that has saved nothing yet may lie here, and is begun again
 * @throws InputError where the folder holds a model or a run already: neither is ever written over
 */
export async function checkOut(out: string, allowed?: "begun"): Promise<void> {
  const present: readonly string[] = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw unusable(out, error);
  });
  const states = present.filter((name) => /^checkpoint-\d+$/.test(name));
  const taken = [...models, ...(allowed === "begun" ? [] : [...traces, ...states])].find((name) =>
    present.includes(name),
  );
  if (taken === undefined) return;
  const goOn = states.length > 0 ? `, or go on with that run: --resume ${out}` : "";
  throw new InputError(`--out ${out} holds a run already (${taken}); name another folder, remove it${goOn}`);
}

/** Before the device is opened, so that a folder that cannot be made costs no work. @throws InputError */
export async function createOut(out: string): Promise<void> {
  await mkdir(out, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw unusable(out, error);
  });
}

function unusable(out: string, { message }: Error): InputError {
  return new InputError(`--out ${out} cannot be used: ${message}`);
}
