/** @file The kernels of operations that add over rows: eight invocations to a row, or one. */
import type { Gpu } from "../gpu/gpu.ts";
import { chooseVariant, hasSubgroups, type OperationVariants, type WeightShape } from "./variants.ts";

/**
 * shared: eight invocations walk a row side by side, so that their loads are one (GPUs). single: one invocation per row,
 * which needs no sum over invocations (CPU adapters, where loads cost the same wherever they point).
 */
export type RowVariant = "shared" | "single";

/** @param needsSubgroups whether the rows of a subgroup share loads of a weight */
function rowOperation(operation: string, needsSubgroups: boolean): OperationVariants<RowVariant> {
  return {
    operation,
    variants: ["shared", "single"],
    equalBits: false,
    canRun: (gpu, variant) => variant === "shared" || !needsSubgroups || hasSubgroups(gpu),
  };
}

export const rowOperations = {
  rmsNorm: rowOperation("rms_norm", true),
  layerNorm: rowOperation("layer_norm", true),
  normInputGradient: rowOperation("norm_input_gradient", true),
  softmax: rowOperation("softmax", false),
  softmaxGradient: rowOperation("softmax_gradient", false),
} as const;

/** Which of both runs. @param weight the operation's weight; default: the adapter alone decides */
export function chooseRowVariant(
  gpu: Gpu,
  operation: keyof typeof rowOperations,
  weight?: WeightShape,
): RowVariant {
  const of = rowOperations[operation];
  const byDefault = gpu.facts.software && of.canRun(gpu, "single") ? "single" : "shared";
  return chooseVariant(gpu, of, byDefault, weight);
}
