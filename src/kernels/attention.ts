/** @file Causal grouped-query attention over packed forests. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { type ForestTables, tileRows } from "./attention-forest.ts";
import { attentionSubgroups, attention as portable } from "./generated/index.ts";
import { rotaryKernels } from "./rotary.ts";
import { expectShape } from "./shapes.ts";

export { type ForestTables, uploadForest } from "./attention-forest.ts";

export interface AttentionOptions {
  readonly heads: number;
  /** Divides `heads`; query head h reads key/value head floor(h * kvHeads / heads). */
  readonly kvHeads: number;
  /** Even. */
  readonly headDim: number;
  /** Factor on q . k. */
  readonly scale: number;
}

/**
 * softmax(scale q k^T) v over each row's path: its parent segment, then its own up to itself. A row's bits depend on
 * its path alone, not on what else is in the batch.
 * @param qkv [T, (heads + 2 * kvHeads) * headDim] f32: q, then k, then v
 * @returns [T, heads * headDim] f32
 */
export function attention(gpu: Gpu, qkv: Tensor, forest: ForestTables, options: AttentionOptions): Tensor {
  const { heads, kvHeads, headDim, scale } = options;
  if (heads % kvHeads !== 0)
    throw new Error(`attention: ${heads} query heads share ${kvHeads} key/value heads unevenly`);
  if (headDim % 2 !== 0) throw new Error(`attention: the head size ${headDim} is odd`);
  expectShape("attention", qkv, forest.positions.rows, (heads + 2 * kvHeads) * headDim);
  const y = createTensor(gpu, qkv.rows, heads * headDim, "attention", { capacity: qkv.capacity });
  const width = headDim % 4 === 0 ? 4 : 2;
  const lanes = headDim / width;
  const variant = { headers: { lanes: `vec${width}` }, overrides: { WG: forest.tileRows } };
  const kernel = gpu.facts.subgroupMin >= 8 ? attentionSubgroups : portable;
  gpu.recorder.dispatch(kernel, {
    variant,
    bindings: [bind(gpu, qkv), bind(gpu, forest.tiles), bind(gpu, y)],
    params: {
      tiles: forest.tiles.rows,
      heads,
      group: heads / kvHeads,
      lanes,
      qkv_stride: qkv.stride / width,
      y_stride: y.stride / width,
      keys: heads * lanes,
      values: (heads + kvHeads) * lanes,
      scale,
    },
    workgroups: forest.tiles.rows * heads,
    // A row sees half of the longest path on average, at most; each key costs two multiply-adds per column.
    work: 2 * forest.maxPath * qkv.rows * heads * headDim,
  });
  return y;
}

const variants = ["vec2", "vec4"].flatMap((lanes) =>
  [tileRows.software, tileRows.hardware].map((WG) => ({ headers: { lanes }, overrides: { WG } })),
);

/** Every pipeline of attention and of the rotary embedding. */
export const attentionKernels: readonly KernelVariant[] = [
  ...[portable, attentionSubgroups].flatMap((kernel) => variants.map((variant) => ({ kernel, variant }))),
  ...rotaryKernels,
];
