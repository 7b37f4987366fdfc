/** @file What the attention kernels' host sides share, forward and backward: shapes, parameters, pipelines. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource, KernelVariant, Variant } from "../gpu/kernel-source.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tileRows } from "./attention-forest.ts";
import { everySubgroupsVariant, narrowRows, subgroupsLayout } from "./attention-subgroups.ts";
import { ceilDiv, expectShape } from "./shapes.ts";
import { chooseVariant, hasSubgroups, type OperationVariants, type WeightShape } from "./variants.ts";

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
 * portable: each invocation loads every key, four at a time. subgroups: invocations own four rows,
 * and a subgroup shares tiles of 32, for CPU adapters. shared: a workgroup of 128 shares tiles of 32 in its memory, and sums stay in registers, for GPUs.
 */
export type AttentionKernelVariant = "portable" | "subgroups" | "shared";

/** What the variants of attention and of both its gradients have in common. */
export const attentionVariants = {
  variants: ["portable", "subgroups", "shared"] as const,
  equalBits: false,
  canRun: (gpu: Gpu, variant: AttentionKernelVariant) => variant !== "subgroups" || hasSubgroups(gpu),
};

/**
 * The variant that runs for heads of this size. `shared` has kernels for heads of whole vec4s as far as their sums fit into
 * registers; other heads get what would run without it, also where it is forced.
 */
export function chooseAttention(
  gpu: Gpu,
  of: OperationVariants<AttentionKernelVariant>,
  { headDim }: AttentionOptions,
): AttentionKernelVariant {
  const { software } = gpu.facts;
  // Rows in the registers of a subgroup's members are a CPU adapter's; barriers are slow there.
  const rest = software && hasSubgroups(gpu) ? "subgroups" : "portable";
  const fits = headDim % 4 === 0 && headDim <= maxSharedColumns;
  const byDefault = fits && !software ? "shared" : rest;
  const chosen = chooseVariant(gpu, of, byDefault, attentionWeight(headDim));
  return chosen === "shared" && !fits ? rest : chosen;
}

/** Columns that one slice of `shared` has, and the columns up to which it has kernels. */
const sliceColumns = 32;
const maxSharedColumns = 256;

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
  /** Columns per load of the pipeline. */
  width: 2 | 4,
) {
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

/**
 * The pipeline of a variant, and the columns per load that its parameters count in.
 * @param maxSlices vec4s of columns that an invocation of `shared` may have
 */
export function attentionPipeline(
  gpu: Gpu,
  chosen: AttentionKernelVariant,
  headDim: number,
  rowsPerTile: number,
  maxSlices: number,
): { readonly variant: Variant; readonly width: 2 | 4 } {
  const width = loadWidth(headDim);
  if (chosen === "subgroups") return subgroupsLayout(gpu, headDim, rowsPerTile);
  if (chosen === "shared") {
    if (rowsPerTile > tileRows.hardware)
      throw new Error(`attention=shared: a workgroup has ${tileRows.hardware} rows, a tile ${rowsPerTile}`);
    return { variant: sharedVariant(sharedSlices(headDim, maxSlices)), width };
  }
  return { variant: rowsVariant(width, rowsPerTile), width };
}

const rowsVariant = (width: 2 | 4, rowsPerTile: number): Variant => ({
  headers: { lanes: `vec${width}` },
  overrides: { WG: rowsPerTile },
});

const sharedVariant = (slices: number): Variant => ({
  headers: { lanes: "vec4" },
  overrides: { SLICES: slices },
});

/** Slices of the smallest pipeline that has all columns, else of the largest. */
function sharedSlices(headDim: number, maxSlices: number): number {
  let slices = 1;
  while (slices < maxSlices && slices * sliceColumns < headDim) slices *= 2;
  return slices;
}

/** Workgroups of `shared` for one tile and head: each has the columns of at most `maxSlices` slices. */
export const sharedWindows = (headDim: number, maxSlices: number): number =>
  ceilDiv(headDim, sharedSlices(headDim, maxSlices) * sliceColumns);

/** The pipelines of a kernel of the `shared` variant. */
const everySharedVariant = (kernel: KernelSource, maxSlices: number): KernelVariant[] =>
  [1, 2, 4, 8]
    .filter((slices) => slices <= maxSlices)
    .map((slices) => ({ kernel, variant: sharedVariant(slices) }));

/** The kernels of one operation, by variant. */
export type AttentionKernels = Readonly<Record<AttentionKernelVariant, KernelSource>>;

/** The pipelines of an operation: both widths of a load, the tiles of both kinds of device. */
export function everyAttentionVariant(
  { portable, subgroups, shared }: AttentionKernels,
  maxSlices: number,
): KernelVariant[] {
  const everyTile = [narrowRows, ...Object.values(tileRows)];
  const widths = ([2, 4] as const).flatMap((width) =>
    everyTile.map((rows) => ({ kernel: portable, variant: rowsVariant(width, rows) })),
  );
  return [...widths, ...everySubgroupsVariant(subgroups), ...everySharedVariant(shared, maxSlices)];
}
