/** @file Every pipeline of the loss and the optimiser, for building them ahead and for tests that compile all. */
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { adamw, clip, pairwiseLogistic, sumSquares } from "./generated/index.ts";

export const trainingKernels: readonly KernelVariant[] = [
  { kernel: pairwiseLogistic, variant: {} },
  { kernel: sumSquares, variant: {} },
  { kernel: clip, variant: {} },
  { kernel: adamw, variant: {} },
];
