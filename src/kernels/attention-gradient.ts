/**
 * @file The backward of causal attention over packed forests. The softmax is computed again from its saved denominators;
 * no sum uses atomics, so the same batch gives the same bits.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import type { AttentionResult } from "./attention.ts";
import {
  atLeastOne,
  type ForestGradientTables,
  type ForestTables,
  rowsOf,
  tilingsOf,
} from "./attention-forest.ts";
import {
  type AttentionKernelVariant,
  type AttentionOptions,
  attentionParams,
  attentionPipeline,
  attentionVariants,
  chooseAttention,
  everyAttentionVariant,
  expectAttention,
  sharedWindows,
} from "./attention-shape.ts";
import {
  attentionDelta as deltas,
  attentionKeyGradient as keys,
  attentionKeyGradientSubgroups as keysBySubgroups,
  attentionKeyGradientShared as keysByWorkgroup,
  attentionQueryGradient as queries,
  attentionQueryGradientSubgroups as queriesBySubgroups,
  attentionQueryGradientShared as queriesByWorkgroup,
} from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";
import type { OperationVariants } from "./variants.ts";

export { type ForestGradientTables, uploadForestGradient } from "./attention-forest.ts";

export const attentionKeyGradientOperation: OperationVariants<AttentionKernelVariant> = {
  operation: "attention_key_gradient",
  ...attentionVariants,
};
export const attentionQueryGradientOperation: OperationVariants<AttentionKernelVariant> = {
  operation: "attention_query_gradient",
  ...attentionVariants,
};
const keyKernels = { portable: keys, subgroups: keysBySubgroups, shared: keysByWorkgroup } as const;
const queryKernels = {
  portable: queries,
  subgroups: queriesBySubgroups,
  shared: queriesByWorkgroup,
} as const;
/** Of `shared`: 128 floats of sums in registers, of one gradient or of two. */
const maxSlices = { keys: 4, queries: 8 } as const;

export interface AttentionGradientInputs extends AttentionResult {
  /** [T, heads * headDim] f32: d loss / d y */
  readonly dy: Tensor;
  /** [T, (heads + 2 * kvHeads) * headDim] f32: what `attentionWithLse` was given. */
  readonly qkv: Tensor;
}

/**
 * The gradient of `attention` for its input. A key's row adds its own segment's queries, then each child's, in the order
 * of rows; of query heads that share the key, the first one's of all those rows that follow upon each other, then the next's.
 * @returns [T, (heads + 2 * kvHeads) * headDim] f32: dq, then dk, then dv
 */
export function attentionBackward(
  gpu: Gpu,
  inputs: AttentionGradientInputs,
  forest: ForestTables,
  tables: ForestGradientTables,
  options: AttentionOptions,
): Tensor {
  const { dy, qkv, y, lse } = inputs;
  const { heads, headDim } = options;
  const { rows } = forest.positions;
  expectAttention("attentionBackward", qkv, rows, options);
  expectShape("attentionBackward dy", dy, rows, heads * headDim);
  expectShape("attentionBackward y", y, rows, heads * headDim);
  expectShape("attentionBackward lse", lse, rows, heads);
  const dqkv = createTensor(gpu, rows, qkv.cols, "attention dqkv", { capacity: qkv.capacity });
  using _ = gpu.scope();
  const pass = { ...inputs, dqkv, delta: attentionDelta(gpu, dy, y, options), maxPath: forest.maxPath };
  attentionKeyGradient(gpu, pass, tables, options);
  attentionQueryGradient(gpu, pass, forest, options);
  return dqkv;
}

/** What both passes read, and the gradient that each of them writes a part of. */
export interface AttentionPass extends AttentionGradientInputs {
  /** [T, heads] f32, by `attentionDelta`. */
  readonly delta: Tensor;
  readonly dqkv: Tensor;
  readonly maxPath: number;
}

/** [T, heads] f32: dy . y of each head. */
export function attentionDelta(
  gpu: Gpu,
  dy: Tensor,
  y: Tensor,
  { heads, headDim }: AttentionOptions,
): Tensor {
  const delta = createTensor(gpu, y.rows, heads, "attention delta", { capacity: y.capacity });
  gpu.recorder.dispatch(deltas, {
    bindings: [bind(gpu, y), bind(gpu, dy), bind(gpu, delta)],
    params: { rows: y.rows, heads, head_dim: headDim, y_stride: y.stride, delta_stride: delta.stride },
    workgroups: workgroupsForItems(y.rows * delta.stride),
    work: 2 * y.rows * heads * headDim,
  });
  return delta;
}

/** Writes dk and dv. */
export function attentionKeyGradient(
  gpu: Gpu,
  pass: AttentionPass,
  forest: ForestGradientTables,
  options: AttentionOptions,
): void {
  const { heads, kvHeads, headDim } = options;
  const chosen = chooseAttention(gpu, attentionKeyGradientOperation, options);
  const windows = chosen === "shared" ? sharedWindows(headDim, maxSlices.keys) : 1;
  for (const { tiles, tileRows } of tilingsOf(forest)) {
    const { variant, width } = attentionPipeline(gpu, chosen, headDim, tileRows, maxSlices.keys);
    gpu.recorder.dispatch(keyKernels[chosen], {
      variant,
      bindings: [bind(gpu, pass.qkv), bind(gpu, tiles), bind(gpu, forest.ranges), ...rowWise(gpu, pass)],
      params: attentionParams(options, { ...pass, tiles: tiles.rows, lseStride: pass.lse.stride }, width),
      workgroups: atLeastOne(tiles.rows * kvHeads * windows),
      // A pair of a query and a key costs two multiply-adds per column for its score, and as many for each gradient.
      work: 4 * pass.maxPath * rowsOf(tiles, tileRows, pass.qkv) * heads * headDim,
    });
  }
}

/** Writes dq. */
export function attentionQueryGradient(
  gpu: Gpu,
  pass: AttentionPass,
  forest: ForestTables,
  options: AttentionOptions,
): void {
  const { heads, headDim } = options;
  const chosen = chooseAttention(gpu, attentionQueryGradientOperation, options);
  for (const { tiles, tileRows } of tilingsOf(forest)) {
    const { variant, width } = attentionPipeline(gpu, chosen, headDim, tileRows, maxSlices.queries);
    gpu.recorder.dispatch(queryKernels[chosen], {
      variant,
      bindings: [bind(gpu, pass.qkv), bind(gpu, tiles), bind(gpu, forest.segments), ...rowWise(gpu, pass)],
      params: attentionParams(options, { ...pass, tiles: tiles.rows, lseStride: pass.lse.stride }, width),
      workgroups: atLeastOne(tiles.rows * heads),
      work: 3 * pass.maxPath * rowsOf(tiles, tileRows, pass.qkv) * heads * headDim,
    });
  }
}

const rowWise = (gpu: Gpu, { dy, lse, delta, dqkv }: AttentionPass) =>
  [dy, lse, delta, dqkv].map((tensor) => bind(gpu, tensor));

/** Every pipeline of attention's backward. */
export const attentionGradientKernels: readonly KernelVariant[] = [
  { kernel: deltas, variant: {} },
  ...everyAttentionVariant(keyKernels, maxSlices.keys),
  ...everyAttentionVariant(queryKernels, maxSlices.queries),
];
