/**
 * @file How attention's kernels for CPU adapters with subgroups (wgsl/lib/attention_blocks) are laid out: invocations own four
 * rows each, or one in narrow tiles, and what there is room for of these is held in workgroup memory (wgsl/lib/own_held).
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource, KernelVariant, Variant } from "../gpu/kernel-source.ts";
import { isLavapipe } from "./products.ts";
import { ceilDiv } from "./shapes.ts";

export interface SubgroupsLayout {
  /** Columns per load. */
  readonly width: 2 | 4;
  readonly variant: Variant;
}

/** Rows of a tile: four for each invocation of the smallest subgroup that shares. */
export const subgroupRows = 32;
/** Rows of a narrow tile: one for each. */
export const narrowRows = 8;
const lanes = 8;
const isNarrow = (rowsPerTile: number) => rowsPerTile <= narrowRows;

/** Head sizes that have a pipeline of their own, and how many parts of 32 rows fit into the 16 KiB that all devices have. */
const rooms = [
  { columns: 64, parts: 2 },
  { columns: 128, parts: 1 },
] as const;

const holding = ({ columns, parts }: (typeof rooms)[number]): SubgroupsLayout => ({
  width: 4,
  variant: {
    headers: { lanes: "vec4", own_rows: "vec4", member: "shuffle" },
    overrides: { WG: lanes, COLUMNS: columns, PARTS: parts },
  },
});

/** Holds nothing: for heads of all even sizes, and subgroups of eight and more. */
const general = (rowsPerTile: number): SubgroupsLayout => ({
  width: 2,
  variant: {
    headers: { lanes: "vec2", own_rows: "vec2", member: "broadcast" },
    overrides: isNarrow(rowsPerTile)
      ? { WG: lanes, OWN: 1 }
      : { WG: Math.max(lanes, ceilDiv(rowsPerTile, 4)) },
  },
});

/** Narrow tiles: there is little to hold. */
const narrow: SubgroupsLayout = {
  width: 4,
  variant: {
    headers: { lanes: "vec4", own_rows: "vec4", member: "shuffle" },
    overrides: { WG: lanes, OWN: 1 },
  },
};

export function subgroupsLayout(gpu: Gpu, headDim: number, rowsPerTile: number): SubgroupsLayout {
  const fits = isLavapipe(gpu) && headDim % 4 === 0 && rowsPerTile <= subgroupRows;
  if (fits && isNarrow(rowsPerTile)) return narrow;
  const room = fits ? rooms.find(({ columns }) => headDim <= columns) : undefined;
  return room === undefined ? general(rowsPerTile) : holding(room);
}

/** The pipelines of a kernel on CPU adapters, whose it is. */
export const everySubgroupsVariant = (kernel: KernelSource): KernelVariant[] =>
  [general(narrowRows), general(subgroupRows), narrow, ...rooms.map(holding)].map(({ variant }) => ({
    kernel,
    variant,
  }));
