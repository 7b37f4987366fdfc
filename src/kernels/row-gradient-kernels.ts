/** @file Every pipeline of the backward of row and elementwise kernels and of look-ups, for tests that compile all. */
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { biasGradientKernels } from "./bias-gradient.ts";
import { embeddingGradientKernels } from "./embedding-gradient.ts";
import { geluGradientKernels } from "./gelu-gradient.ts";
import { normGradientKernels } from "./norm-gradient.ts";
import { swigluGradientKernels } from "./swiglu-gradient.ts";

export const rowGradientKernels: readonly KernelVariant[] = [
  ...normGradientKernels,
  ...biasGradientKernels,
  ...swigluGradientKernels,
  ...geluGradientKernels,
  ...embeddingGradientKernels,
];
