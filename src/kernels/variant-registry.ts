/** @file Every operation with several kernels: for tests that force each, the tuner, `doctor` and `bench`. */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { attentionOperation } from "./attention.ts";
import { attentionKeyGradientOperation, attentionQueryGradientOperation } from "./attention-gradient.ts";
import { linearOperation } from "./linear.ts";
import { linearInputGradientOperation, linearWeightGradientOperation } from "./linear-gradient.ts";
import { rowOperations } from "./row-variants.ts";
import { expectVariant, type OperationVariants } from "./variants.ts";

/** An operation of several kernels belongs here, and its choice goes through `chooseVariant`. */
export const variantRegistry: readonly OperationVariants<string>[] = [
  linearOperation,
  linearInputGradientOperation,
  linearWeightGradientOperation,
  attentionOperation,
  attentionKeyGradientOperation,
  attentionQueryGradientOperation,
  ...Object.values(rowOperations),
];

/**
 * The choices that results' bits depend on, in words: those made for operations whose variants don't give equal bits.
 * None where all is left to the defaults.
 */
export function choicesOfBits({ variants }: Pick<Gpu, "variants">): string[] {
  const unequal = variantRegistry.filter((of) => !of.equalBits).map((of) => of.operation);
  const tuned = variants.tuned?.entries ?? [];
  return [
    ...tuned.filter(({ operation, variant }) => variant !== null && unequal.includes(operation)),
    ...[...variants.forced]
      .map(([operation, variant]) => ({ operation, variant }))
      .filter(({ operation }) => unequal.includes(operation)),
  ]
    .map((choice) => JSON.stringify(choice))
    .sort();
}

/** @throws InputError where a variant is forced that does not exist or that this adapter can't run, listing what there is */
export function checkForcedVariants(gpu: Gpu): void {
  for (const [operation, variant] of gpu.variants.forced) {
    const found = variantRegistry.find((of) => of.operation === operation);
    if (found === undefined) {
      const all = variantRegistry.map((of) => `${of.operation} (${of.variants.join(", ")})`);
      throw new InputError(
        `There is no operation "${operation}" with variants. There are: ${all.join("; ")}`,
      );
    }
    expectVariant(gpu, found, variant);
  }
}
