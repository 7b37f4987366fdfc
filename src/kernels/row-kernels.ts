/** @file Every pipeline of the row and elementwise kernels (of softmax its backward too), for building them ahead and for tests that compile all. */
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { geluVariant } from "./gelu.ts";
import { add, gelu, layerNorm, layerNormSingle, rmsNorm, rmsNormSingle, swiglu } from "./generated/index.ts";
import { softmaxKernels } from "./softmax.ts";
import { swigluVariants } from "./swiglu.ts";

export const rowKernels: readonly KernelVariant[] = [
  { kernel: rmsNorm, variant: {} },
  { kernel: rmsNormSingle, variant: {} },
  { kernel: layerNorm, variant: {} },
  { kernel: layerNormSingle, variant: {} },
  ...swigluVariants.map((variant) => ({ kernel: swiglu, variant })),
  { kernel: gelu, variant: geluVariant.tanh },
  { kernel: gelu, variant: geluVariant.erf },
  { kernel: add, variant: {} },
  ...softmaxKernels,
];
