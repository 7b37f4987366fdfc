/**
 * @file AdamW as torch.optim.AdamW, clipping as torch.nn.utils.clip_grad_norm_, learning-rate schedules as
 * transformers' get_*_schedule_with_warmup; all in float64.
 */
import { l2Norm } from "./error.ts";
import type { Vector } from "./pointwise.ts";

export interface AdamWOptions {
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
}

/** Parameters and moments; `step` counts the updates made. */
export interface AdamWState {
  readonly weights: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  readonly step: number;
}

/** State before the first update. */
export function adamWStart(weights: Vector): AdamWState {
  const size = weights.length;
  return {
    weights: Float64Array.from(weights),
    m: new Float64Array(size),
    v: new Float64Array(size),
    step: 0,
  };
}

/** One update (Loshchilov and Hutter, arXiv:1711.05101): decay by lr * weightDecay first, then the bias-corrected step. */
export function adamWStep(state: AdamWState, gradient: Vector, options: AdamWOptions): AdamWState {
  const { lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 } = options;
  const step = state.step + 1;
  const m = state.m.map((value, i) => beta1 * value + (1 - beta1) * gradient[i]!);
  const v = state.v.map((value, i) => beta2 * value + (1 - beta2) * gradient[i]! ** 2);
  const weights = state.weights.map((weight, i) => {
    const mean = m[i]! / (1 - beta1 ** step);
    const deviation = Math.sqrt(v[i]! / (1 - beta2 ** step));
    return weight * (1 - lr * weightDecay) - (lr * mean) / (deviation + eps);
  });
  return { weights, m, v, step };
}

/** Scales gradients so that their global L2 norm is at most maxNorm; `norm` is the one before. */
export function clipByGlobalNorm(
  gradients: readonly Vector[],
  maxNorm: number,
): { norm: number; clipped: Float64Array[] } {
  const norm = l2Norm(gradients.map(l2Norm));
  const scale = Math.min(1, maxNorm / (norm + 1e-6));
  return {
    norm,
    clipped: gradients.map((g) => Float64Array.from({ length: g.length }, (_, i) => g[i]! * scale)),
  };
}

/** Factor on the learning rate of update `step` (from 0) of `total`, after `warmup` linearly rising ones. */
export function scheduleFactor(
  schedule: "linear" | "cosine" | "constant",
  step: number,
  warmup: number,
  total: number,
): number {
  if (step < warmup) return step / Math.max(1, warmup);
  if (schedule === "constant") return 1;
  const progress = (step - warmup) / Math.max(1, total - warmup);
  return Math.max(0, schedule === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}
