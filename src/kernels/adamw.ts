/** @file AdamW (Loshchilov & Hutter 2019, algorithm 2) over one range of the parameter arenas, as torch computes it. */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { ArenaRange } from "../tensor/parameters.ts";
import { adamw as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";

export interface AdamWStep {
  readonly lr: number;
  /** Counted from 1. */
  readonly step: number;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/**
 * Updates masters and moments from the gradients, which control's factor scales; writes nothing after a bad step.
 * @param range weight decay applies to it or not, as a whole
 * @param control see clipByGlobalNorm
 */
export function adamw(gpu: Gpu, range: ArenaRange, control: GpuBuffer, s: AdamWStep): void {
  const count = range.bytes / 16;
  gpu.recorder.dispatch(kernel, {
    bindings: [
      { buffer: control },
      range.binding("gradient"),
      range.binding("master"),
      range.binding("m"),
      range.binding("v"),
    ],
    params: {
      count,
      decay: range.decay ? 1 - s.lr * s.weightDecay : 1,
      rate: s.lr / (1 - s.beta1 ** s.step),
      root: Math.sqrt(1 - s.beta2 ** s.step),
      eps: s.eps,
      one_minus_beta1: 1 - s.beta1,
      beta2: s.beta2,
      one_minus_beta2: 1 - s.beta2,
    },
    workgroups: workgroupsForItems(count),
    work: 112 * count,
  });
}
