/** @file Opens a device as programs want it: with what was asked for checked, and the tuned variants at hand. */
import { type Gpu, type OpenOptions, openGpu as openDevice } from "../gpu/gpu.ts";
import { checkMatrixClass } from "./matrix-check.ts";
import { loadTuning } from "./tuning/load.ts";
import { checkForcedVariants } from "./variant-registry.ts";

export interface EngineOptions extends OpenOptions {
  /** "none": without the tables of measured choices, so that every kernel is the default one. Default: "stored". */
  readonly tuning?: "stored" | "none";
}

/**
 * Opens the platform's WebGPU device with its full limits.
 * @throws NoAdapterError with what to do about it; InputError where a forced variant does not exist or can't run;
 * PrecisionError where the class f16 is asked for and the adapter's matrix units are missing or compute something else
 */
export async function openGpu(options: EngineOptions = {}): Promise<Gpu> {
  const gpu = await openDevice(options);
  try {
    checkForcedVariants(gpu);
    if (gpu.precision === "f16") await checkMatrixClass(gpu);
    if (options.tuning !== "none") gpu.variants.tuned = await loadTuning(gpu.facts);
    return gpu;
  } catch (error) {
    gpu.close();
    throw error;
  }
}
