/** @file Every pipeline of the engine: each kernel in each of its variants. */

import type { KernelVariant } from "../../src/gpu/kernel-source.ts";
import { attentionKernels } from "../../src/kernels/attention.ts";
import { attentionGradientKernels } from "../../src/kernels/attention-gradient.ts";
import { ceilingKernels } from "../../src/kernels/ceilings.ts";
import { columnKernels } from "../../src/kernels/columns.ts";
import { cringeKernels } from "../../src/kernels/cringe.ts";
import { dpoKernels } from "../../src/kernels/dpo.ts";
import { dropoutKernels } from "../../src/kernels/dropout.ts";
import { embeddingKernels } from "../../src/kernels/embedding.ts";
import { headNormKernels } from "../../src/kernels/head-norm.ts";
import { implicitRewardKernels } from "../../src/kernels/implicit-reward.ts";
import { linearKernels } from "../../src/kernels/linear.ts";
import { linearGradientKernels } from "../../src/kernels/linear-gradient.ts";
import { cringePairsKernels } from "../../src/kernels/pair-loss-cringe.ts";
import { rowGradientKernels } from "../../src/kernels/row-gradient-kernels.ts";
import { rowKernels } from "../../src/kernels/row-kernels.ts";
import { segmentKernels } from "../../src/kernels/segments.ts";
import { tokenLogpsKernels } from "../../src/kernels/token-logps.ts";
import { trainingKernels } from "../../src/kernels/training-kernels.ts";
import { weightedSumsKernels } from "../../src/kernels/weighted-sums.ts";

export const catalogue: readonly KernelVariant[] = [
  ...linearKernels,
  ...linearGradientKernels,
  ...embeddingKernels,
  ...attentionKernels,
  ...attentionGradientKernels,
  ...rowKernels,
  ...rowGradientKernels,
  ...columnKernels,
  ...dropoutKernels,
  ...headNormKernels,
  ...tokenLogpsKernels,
  ...cringeKernels,
  ...cringePairsKernels,
  ...segmentKernels,
  ...implicitRewardKernels,
  ...weightedSumsKernels,
  ...trainingKernels,
  ...dpoKernels,
  ...ceilingKernels,
];
