/**
 * @file Implicit rewards: what a causal LM's log-probability of a reply says about it, beside a reference's or alone,
 * and their backward, together with that of a negative log-likelihood (NLL) trained beside the rewards.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import {
  implicitRewardGradient as gradientKernel,
  implicitReward as rewardKernel,
} from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** Columns of the terms, [N, 3] f32, one row per sequence. */
export const implicitTerms = {
  /** β, or β / tokens; of the log-odds 1 / tokens. */
  scale: 0,
  /** log π_ref(y|x); 0 where there is no reference. */
  reference: 1,
  /** d loss / d log π(y|x) of the NLL: -α / (tokens * replies), or 0. */
  nll: 2,
  count: 3,
} as const;

export interface ImplicitRewardOptions {
  /** β of r = β log(p / (1 - p)), p = exp(log π / tokens). Without it: r = scale (log π - log π_ref). */
  readonly oddsBeta?: number | undefined;
}

const paramsOf = (rows: number, { oddsBeta }: ImplicitRewardOptions) => ({
  rows,
  odds: oddsBeta === undefined ? 0 : 1,
  beta: oddsBeta ?? 0,
});

/**
 * @param logps [N, 1] f32: log π(y|x) @param terms [N, 3] f32, columns `implicitTerms`
 * @returns rewards [N, 1] f32
 */
export function implicitReward(
  gpu: Gpu,
  logps: Tensor,
  terms: Tensor,
  options: ImplicitRewardOptions = {},
): Tensor {
  const { rows, capacity } = logps;
  expectShape("implicitReward", logps, rows, 1);
  expectShape("implicitReward terms", terms, rows, implicitTerms.count);
  const rewards = createTensor(gpu, rows, 1, "implicit rewards", { capacity });
  gpu.recorder.dispatch(rewardKernel, {
    bindings: [logps, terms, rewards].map((tensor) => bind(gpu, tensor)),
    params: paramsOf(rows, options),
    workgroups: workgroupsForItems(rows),
    work: 60 * rows,
  });
  return rewards;
}

/**
 * @param gradient [N, 1] f32: d loss / d rewards @param logps and terms: as the forward took them
 * @returns d loss / d logps [N, 1] f32, the NLL's part included
 */
export function implicitRewardGradient(
  gpu: Gpu,
  gradient: Tensor,
  logps: Tensor,
  terms: Tensor,
  options: ImplicitRewardOptions = {},
): Tensor {
  const { rows, capacity } = logps;
  expectShape("implicitRewardGradient", gradient, rows, 1);
  expectShape("implicitRewardGradient logps", logps, rows, 1);
  expectShape("implicitRewardGradient terms", terms, rows, implicitTerms.count);
  const dlogps = createTensor(gpu, rows, 1, "gradient of log-probabilities", { capacity });
  gpu.recorder.dispatch(gradientKernel, {
    bindings: [gradient, logps, terms, dlogps].map((tensor) => bind(gpu, tensor)),
    params: paramsOf(rows, options),
    workgroups: workgroupsForItems(rows),
    work: 60 * rows,
  });
  return dlogps;
}

/** Every pipeline of this file, for building them ahead and for tests that compile all. */
export const implicitRewardKernels: readonly KernelVariant[] = [
  { kernel: rewardKernel, variant: {} },
  { kernel: gradientKernel, variant: {} },
];
