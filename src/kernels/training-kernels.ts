/** @file Every pipeline of the losses and the optimiser, for building them ahead and for tests that compile all. */
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { adamw, clip, sumSquares } from "./generated/index.ts";
import { listLossKernels } from "./list-loss.ts";
import { pairLossKernels } from "./pair-loss.ts";
import { rowLossKernels } from "./row-loss.ts";

export const trainingKernels: readonly KernelVariant[] = [
  ...pairLossKernels,
  ...rowLossKernels,
  ...listLossKernels,
  { kernel: sumSquares, variant: {} },
  { kernel: clip, variant: {} },
  { kernel: adamw, variant: {} },
];
