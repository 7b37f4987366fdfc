/** @file Every pipeline of the engine: each kernel in each of its variants. */

import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { attentionKernels } from "./attention.ts";
import { attentionGradientKernels } from "./attention-gradient.ts";
import { ceilingKernels } from "./ceilings.ts";
import { columnKernels } from "./columns.ts";
import { cringeKernels } from "./cringe.ts";
import { dpoKernels } from "./dpo.ts";
import { dropoutKernels } from "./dropout.ts";
import { embeddingKernels } from "./embedding.ts";
import { gradientScaleKernels } from "./gradient-scale.ts";
import { headNormKernels } from "./head-norm.ts";
import { implicitRewardKernels } from "./implicit-reward.ts";
import { linearKernels } from "./linear.ts";
import { linearGradientKernels } from "./linear-gradient.ts";
import { canBuildMatrixClass, matrixClassKernels } from "./matrix-class.ts";
import { cringePairsKernels } from "./pair-loss-cringe.ts";
import { roundedFactorKernels } from "./rounded-factors.ts";
import { rowGradientKernels } from "./row-gradient-kernels.ts";
import { rowKernels } from "./row-kernels.ts";
import { segmentKernels } from "./segments.ts";
import { tokenLogpsKernels } from "./token-logps.ts";
import { tokenSlopeKernels } from "./token-slopes.ts";
import { trainingKernels } from "./training-kernels.ts";
import { weightedSumsKernels } from "./weighted-sums.ts";

/** Whether this device has what the pipeline needs. */
export function canBuild(gpu: Gpu, entry: KernelVariant): boolean {
  if (entry.kernel.enables.includes("subgroups") && gpu.facts.subgroupMin < 8) return false;
  return canBuildMatrixClass(gpu, entry);
}

export const catalogue: readonly KernelVariant[] = [
  ...linearKernels,
  ...linearGradientKernels,
  ...matrixClassKernels,
  ...gradientScaleKernels,
  ...roundedFactorKernels,
  ...embeddingKernels,
  ...attentionKernels,
  ...attentionGradientKernels,
  ...rowKernels,
  ...rowGradientKernels,
  ...columnKernels,
  ...dropoutKernels,
  ...headNormKernels,
  ...tokenLogpsKernels,
  ...tokenSlopeKernels,
  ...cringeKernels,
  ...cringePairsKernels,
  ...segmentKernels,
  ...implicitRewardKernels,
  ...weightedSumsKernels,
  ...trainingKernels,
  ...dpoKernels,
  ...ceilingKernels,
];
