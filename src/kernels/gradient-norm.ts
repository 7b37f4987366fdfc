/** @file The global gradient norm, kept on the device, and the verdict on the step: clip factor, or stop for good. */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Binding } from "../gpu/recorder.ts";
import { blockBytes } from "../tensor/parameters.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { clip, sumSquares } from "./generated/index.ts";
import { metricColumns } from "./metric-columns.ts";
import { ceilDiv } from "./shapes.ts";

/** vec4s per partial sum. */
const block = blockBytes / 16;
const lanes = 64;

/** Partial sums that `count` vec4s give. */
export const partialSums = (count: number): number => ceilDiv(count, block);

/** partials[first ...] = sums of squares of `count` vec4s, one for each block of 1024. */
export function sumOfSquares(
  gpu: Gpu,
  values: Binding,
  count: number,
  partials: Binding,
  first: number,
): void {
  gpu.recorder.dispatch(sumSquares, {
    bindings: [values, partials],
    params: { count, first, block, lanes },
    workgroups: partialSums(count),
    work: 16 * count,
  });
}

export interface ClipStep {
  /** Counted from 1; what is latched when the step is bad. */
  readonly step: number;
  /** 0: no clipping. */
  readonly maxGradNorm: number;
  /** [rows, metricColumns.count]: the step's losses are read from `losses` rows from `row` on, its norm is written to `row`. */
  readonly metrics: Tensor;
  readonly row: number;
  /** Micro-batches of the step. Default: 1. */
  readonly losses?: number;
}

/**
 * Norm and clip factor from `count` partial sums, as torch's clip_grad_norm_; latches the step when the norm or a loss
 * is not finite.
 * @param control two words: first bad step (0: none), clip factor (f32)
 */
export function clipByGlobalNorm(
  gpu: Gpu,
  partials: Binding,
  count: number,
  control: GpuBuffer,
  s: ClipStep,
): void {
  const at = s.row * s.metrics.stride;
  gpu.recorder.dispatch(clip, {
    bindings: [partials, bind(gpu, s.metrics), { buffer: control }],
    params: {
      count,
      step: s.step,
      loss_at: at + metricColumns.loss,
      losses: s.losses ?? 1,
      loss_stride: s.metrics.stride,
      norm_at: at + metricColumns.gradNorm,
      max_norm: s.maxGradNorm,
      lanes,
    },
    workgroups: 1,
    work: count,
  });
}
