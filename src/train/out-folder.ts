/** @file The folder that a run writes to. */
import { mkdir, readdir } from "node:fs/promises";
import { InputError } from "../errors.ts";

/** Any of these says that a run, perhaps a stopped one, has written here. */
const traces = ["config.json", "model.safetensors", "metrics.jsonl"];

/** @throws InputError where the folder holds a model or a run already: neither is ever written over */
export async function checkOut(out: string): Promise<void> {
  const present = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw unusable(out, error);
  });
  const taken = present.find((name) => traces.includes(name));
  if (taken !== undefined)
    throw new InputError(`--out ${out} holds a run already (${taken}); name another folder, or remove it`);
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
