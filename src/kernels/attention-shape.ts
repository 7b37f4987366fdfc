/** @file What the attention kernels' host sides share, forward and backward: shapes, parameters, pipelines. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource, KernelVariant, Variant } from "../gpu/kernel-source.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tileRows } from "./attention-forest.ts";
import { expectShape } from "./shapes.ts";
import { hasSubgroups, type WeightShape } from "./variants.ts";

export interface AttentionOptions {
  readonly heads: number;
  /** Divides `heads`; query head h reads key/value head floor(h * kvHeads / heads). */
  readonly kvHeads: number;
  /** Even. */
  readonly headDim: number;
  /** Factor on q . k. */
  readonly scale: number;
}

/** portable: each invocation loads every key, four at a time. subgroups: a subgroup shares tiles of 16. */
export type AttentionKernelVariant = "portable" | "subgroups";

/** What the variants of attention and of both its gradients have in common. */
export const attentionVariants = {
  variants: ["portable", "subgroups"] as const,
  equalBits: false,
  canRun: (gpu: Gpu, variant: AttentionKernelVariant) => variant === "portable" || hasSubgroups(gpu),
};

export const defaultAttention = (gpu: Gpu): AttentionKernelVariant =>
  hasSubgroups(gpu) ? "subgroups" : "portable";

const weights = new Map<number, WeightShape>();

/** What stands for the weight in a choice of attention's variant: the head size, so that no batch has a say in it. */
export function attentionWeight(headDim: number): WeightShape {
  const known = weights.get(headDim);
  if (known !== undefined) return known;
  const weight: WeightShape = { rows: 0, cols: headDim, dtype: "f32" };
  weights.set(headDim, weight);
  return weight;
}

/** Columns per load: four where every head begins at a multiple of four. */
const loadWidth = (headDim: number): 2 | 4 => (headDim % 4 === 0 ? 4 : 2);

/** @throws Error where heads or shapes do not fit: a defect of the caller */
export function expectAttention(
  op: string,
  qkv: Tensor,
  rows: number,
  { heads, kvHeads, headDim }: AttentionOptions,
): void {
  if (heads % kvHeads !== 0)
    throw new Error(`${op}: ${heads} query heads share ${kvHeads} key/value heads unevenly`);
  if (headDim % 2 !== 0) throw new Error(`${op}: the head size ${headDim} is odd`);
  expectShape(op, qkv, rows, (heads + 2 * kvHeads) * headDim);
}

/** The fields of Params in wgsl/lib/attention_tile.wgsl. */
export function attentionParams(
  { heads, kvHeads, headDim, scale }: AttentionOptions,
  call: { readonly tiles: number; readonly qkv: Tensor; readonly y: Tensor; readonly lseStride: number },
) {
  const width = loadWidth(headDim);
  const lanes = headDim / width;
  return {
    tiles: call.tiles,
    heads,
    group: heads / kvHeads,
    lanes,
    qkv_stride: call.qkv.stride / width,
    y_stride: call.y.stride / width,
    keys: heads * lanes,
    values: (heads + kvHeads) * lanes,
    scale,
    lse_stride: call.lseStride,
  };
}

export function attentionVariant(headDim: number, rowsPerTile: number): Variant {
  return { headers: { lanes: `vec${loadWidth(headDim)}` }, overrides: { WG: rowsPerTile } };
}

/** The pipelines of these kernels: both widths of a load, the tiles of both kinds of device. */
export function everyAttentionVariant(kernels: readonly KernelSource[]): KernelVariant[] {
  return kernels.flatMap((kernel) =>
    ([2, 4] as const).flatMap((headDim) =>
      Object.values(tileRows).map((rows) => ({ kernel, variant: attentionVariant(headDim, rows) })),
    ),
  );
}
