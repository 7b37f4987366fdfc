/** @file Every pipeline of the loss and the optimiser, for building them ahead and for tests that compile all. */
import { adamw, clip, pairwiseLogistic, sumSquares } from "./generated/index.ts";
import type { KernelVariant } from "./row-kernels.ts";

export const trainingKernels: readonly KernelVariant[] = [
  { kernel: pairwiseLogistic, variant: {} },
  { kernel: sumSquares, variant: {} },
  { kernel: clip, variant: {} },
  { kernel: adamw, variant: {} },
];
