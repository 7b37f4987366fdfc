/** @file Opens a device as programs want it: with the forced variants checked. */
import { type Gpu, type OpenOptions, openGpu as openDevice } from "../gpu/gpu.ts";
import { checkForcedVariants } from "./variant-registry.ts";

/**
 * Opens the platform's WebGPU device with its full limits.
 * @throws NoAdapterError with what to do about it; InputError where a forced variant does not exist or can't run
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  const gpu = await openDevice(options);
  try {
    checkForcedVariants(gpu);
    return gpu;
  } catch (error) {
    gpu.close();
    throw error;
  }
}
