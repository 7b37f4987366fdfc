/** @file Which choices a piece of work asks for: what a tuner has to measure for it, whatever it is made of. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { TunedVariants } from "../../gpu/variants.ts";
import { type TuningTarget, targetName } from "./table.ts";

/** Runs `work` with the default variants and notes each choice that it makes, once. */
export async function observeTargets(gpu: Gpu, work: () => Promise<void>): Promise<TuningTarget[]> {
  const seen = new Map<string, TuningTarget>();
  const before = gpu.variants.tuned;
  const observer: TunedVariants = {
    hash: "default",
    origin: "observed",
    entries: [],
    find(operation, rows, cols, dtype, fewRows) {
      const target = { operation, rows, cols, dtype, fewRows };
      seen.set(targetName(target), target);
      return undefined;
    },
  };
  gpu.variants.tuned = observer;
  try {
    await work();
  } finally {
    gpu.variants.tuned = before;
  }
  return [...seen.values()];
}
