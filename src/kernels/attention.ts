/** @file Causal grouped-query attention over packed forests. */
import type { GpuBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { atLeastOne, type ForestTables, rowsOf, tilingsOf } from "./attention-forest.ts";
import {
  type AttentionKernelVariant,
  type AttentionOptions,
  attentionParams,
  attentionPipeline,
  attentionVariants,
  chooseAttention,
  everyAttentionVariant,
  expectAttention,
} from "./attention-shape.ts";
import { attentionShared, attentionSubgroups, attention as portable } from "./generated/index.ts";
import { rotaryKernels } from "./rotary.ts";
import type { OperationVariants } from "./variants.ts";

export { type ForestTables, uploadForest } from "./attention-forest.ts";
export type { AttentionOptions } from "./attention-shape.ts";

export const attentionOperation: OperationVariants<AttentionKernelVariant> = {
  operation: "attention",
  ...attentionVariants,
};
const kernels = { portable, subgroups: attentionSubgroups, shared: attentionShared } as const;
/** Of `shared`: 128 floats of sums in registers. */
const maxSlices = 8;

/** What attention's backward is computed from, beside qkv. */
export interface AttentionResult {
  /** [T, heads * headDim] f32 */
  readonly y: Tensor;
  /** [T, heads] f32: log of each softmax's denominator. */
  readonly lse: Tensor;
}

/**
 * softmax(scale q k^T) v over each row's path: its parent segment, then its own up to itself. A row's bits depend on
 * its path alone, not on what else is in the batch.
 * @param qkv [T, (heads + 2 * kvHeads) * headDim] f32: q, then k, then v
 * @returns [T, heads * headDim] f32
 */
export function attention(gpu: Gpu, qkv: Tensor, forest: ForestTables, options: AttentionOptions): Tensor {
  const y = attentionOutput(gpu, qkv, forest, options);
  using _ = gpu.scope();
  // The binding needs a buffer; nothing is written to it.
  record(gpu, { qkv, y, lse: gpu.allocate(16, "attention lse, not kept"), lseStride: 0 }, forest, options);
  return y;
}

/** `attention`, the same bits, and what its backward needs to compute the softmax again. */
export function attentionWithLse(
  gpu: Gpu,
  qkv: Tensor,
  forest: ForestTables,
  options: AttentionOptions,
): AttentionResult {
  const y = attentionOutput(gpu, qkv, forest, options);
  const lse = createTensor(gpu, qkv.rows, options.heads, "attention lse", { capacity: qkv.capacity });
  record(gpu, { qkv, y, lse: lse.buffer, lseStride: lse.stride }, forest, options);
  return { y, lse };
}

function attentionOutput(gpu: Gpu, qkv: Tensor, forest: ForestTables, options: AttentionOptions): Tensor {
  expectAttention("attention", qkv, forest.positions.rows, options);
  const cols = options.heads * options.headDim;
  return createTensor(gpu, qkv.rows, cols, "attention", { capacity: qkv.capacity });
}

interface Buffers {
  readonly qkv: Tensor;
  readonly y: Tensor;
  readonly lse: GpuBuffer;
  readonly lseStride: number;
}

function record(gpu: Gpu, buffers: Buffers, forest: ForestTables, options: AttentionOptions): void {
  const { qkv, y, lse, lseStride } = buffers;
  const { heads, headDim } = options;
  const chosen = chooseAttention(gpu, attentionOperation, options);
  for (const { tiles, tileRows } of tilingsOf(forest)) {
    const { variant, width } = attentionPipeline(gpu, chosen, headDim, tileRows, maxSlices);
    gpu.recorder.dispatch(kernels[chosen], {
      variant,
      bindings: [bind(gpu, qkv), bind(gpu, tiles), bind(gpu, forest.segments), bind(gpu, y), { buffer: lse }],
      params: attentionParams(options, { tiles: tiles.rows, qkv, y, lseStride }, width),
      workgroups: atLeastOne(tiles.rows * heads),
      // A row sees half of the longest path on average, at most; each key costs two multiply-adds per column.
      work: 2 * forest.maxPath * rowsOf(tiles, tileRows, qkv) * heads * headDim,
    });
  }
}

/** Every pipeline of attention and of the rotary embedding. */
export const attentionKernels: readonly KernelVariant[] = [
  ...everyAttentionVariant(kernels, maxSlices),
  ...rotaryKernels,
];
