/** @file A case of an operation with several kernels, once for each variant that this adapter can run. */
import type { Gpu } from "../../gpu/gpu.ts";
import { type OperationVariants, runnableVariants } from "../variants.ts";
import type { BenchCase } from "./cases.ts";

/** @param benchCases what `name` adds to the operation's own, such as the weight's dtype; it may be empty */
export function perVariant<V extends string>(
  gpu: Gpu,
  of: OperationVariants<V>,
  benchCases: readonly BenchCase[],
): BenchCase[] {
  return runnableVariants(gpu, of).flatMap((variant) =>
    benchCases.map((benchCase) => ({
      ...benchCase,
      name: `${of.operation}=${variant} ${benchCase.name}`.trim(),
      prepare: (device: Gpu) => {
        const force = <T>(record: () => T) => device.variants.forcing(of.operation, variant, record);
        const record = force(() => benchCase.prepare(device));
        return () => force(record);
      },
    })),
  );
}
