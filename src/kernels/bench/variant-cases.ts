/** @file A case of an operation with several kernels, once for each variant that this adapter can run. */
import type { Gpu } from "../../gpu/gpu.ts";
import { variantRegistry } from "../variant-registry.ts";
import { runnableVariants } from "../variants.ts";
import type { BenchCase } from "./cases.ts";

/** Operations whose kernels are other ones where the device was opened for another precision class. */
const classed: readonly string[] = ["linear", "linear_input_gradient", "linear_weight_gradient"];

/**
 * The case itself, unless the first word of its name is an operation of the registry: then one for each variant, which
 * it forces, named operation=variant; in another precision class than f32 the class decides, and the name has a colon.
 */
export function perVariant(gpu: Gpu, benchCase: BenchCase): BenchCase[] {
  const [operation = "", ...rest] = benchCase.name.split(" ");
  const of = variantRegistry.find((registered) => registered.operation === operation);
  if (of === undefined) return [benchCase];
  const named = (which: string) => [operation + which, ...rest].join(" ");
  const { precision } = gpu.facts;
  if (precision !== "f32" && classed.includes(operation))
    return [{ ...benchCase, name: named(`:${precision}`) }];
  return runnableVariants(gpu, of).map((variant) => ({
    ...benchCase,
    name: named(`=${variant}`),
    prepare: (device) => {
      const force = <T>(record: () => T) => device.variants.forcing(operation, variant, record);
      const record = force(() => benchCase.prepare(device));
      return Object.assign(() => force(record), { unforced: record });
    },
  }));
}
