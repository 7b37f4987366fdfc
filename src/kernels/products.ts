/**
 * @file How the kernels of the linear layer share out a result: x W^T and dy W and dy^T x (wgsl/lib/tile, broadcast, shared). Each
 * layout is one pipeline per storage type of the weight.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource, KernelVariant, Variant } from "../gpu/kernel-source.ts";
import type { Dtype, Tensor } from "../tensor/tensor.ts";
import { ceilDiv } from "./shapes.ts";

/** Invocations of a workgroup where nothing speaks for another number. */
const WG = 64;

/** What weights may be stored as. */
export const storageTypes = ["f32", "f16", "bf16"] as const;

export interface ProductLayout {
  /** Rows of the result that one invocation computes. */
  readonly rows: number;
  /** Vec4s of columns that one workgroup computes, with the same rows. */
  readonly groups: number;
  /** The pipelines, by the weight's storage type; those not among `storageTypes` are refused when they are built. */
  readonly pipelines: Readonly<Record<Dtype, Variant>>;
  /** Workgroups for so many rows of so many vec4s. */
  workgroups(rows: number, groups: number): number;
}

function layout(
  { rows, groups }: Pick<ProductLayout, "rows" | "groups">,
  { headers, overrides }: Variant,
  workgroups: ProductLayout["workgroups"],
): ProductLayout {
  const variant = (weight: string): Variant => ({
    headers: { ...headers, weight },
    overrides: { ...overrides },
  });
  return {
    rows,
    groups,
    pipelines: { f32: variant("f32"), f16: variant("f16"), bf16: variant("bf16"), i32: variant("i32") },
    workgroups,
  };
}

/** Each invocation on its own, with 1 vec4 of columns. */
const alone = (rows: number): ProductLayout =>
  layout({ rows, groups: 1 }, { overrides: { WG } }, (all, groups) =>
    ceilDiv(groups * ceilDiv(all, rows), WG),
  );

/** Workgroups of `groups` invocations with 1 vec4 each, which share rows. */
const together = (rows: number, groups: number, variant: Variant): ProductLayout =>
  layout({ rows, groups }, variant, (all, columns) => ceilDiv(all, rows) * ceilDiv(columns, groups));

/** Tiles of 64 x 64 results in workgroup memory (wgsl/lib/shared). */
export const sharedLayout: ProductLayout = together(64, 16, { overrides: { HALVES: 2 } });

/** Tiles of 32 x 64. */
const narrowLayout: ProductLayout = together(32, 16, { overrides: { HALVES: 1 } });

/** Fewer tiles of 64 x 64 give a GPU of a hundred processors less than two workgroups, four subgroups of 32, each. */
const fewTiles = 256;

/** For results whose size doesn't follow the batch's, such as a weight's gradient. */
export const sharedLayoutOf = ({ rows, stride4 }: Pick<Tensor, "rows" | "stride4">): ProductLayout =>
  sharedLayout.workgroups(rows, stride4) < fewTiles ? narrowLayout : sharedLayout;

export const sharedLayouts: readonly ProductLayout[] = [narrowLayout, sharedLayout];

export const rowLayout = alone(1);
export const tileLayout = alone(4);

/**
 * Subgroups share rows of the input (wgsl/lib/broadcast). On lavapipe a workgroup is one subgroup of eight, since further
 * lanes would compute past the last column, with many rows, since a load costs more than a register that is spilled.
 */
const lavapipe = { lanes: 8, rows: [8, 16, 32], member: "shuffle" } as const;
const others = { lanes: WG, rows: [8, 16], member: "broadcast" } as const;

/** Its subgroups have eight members; drivers that are set to other widths are treated as GPUs are. */
export const isLavapipe = (gpu: Gpu): boolean =>
  gpu.facts.software && gpu.facts.subgroupMin === lavapipe.lanes && gpu.facts.subgroupMax === lavapipe.lanes;

/** Whether tiles in workgroup memory are the first choice: only where barriers cost little, and results fill tiles. */
export const prefersShared = (gpu: Gpu, rows: number, columns: number): boolean =>
  !gpu.facts.software && rows > sharedLayout.rows / 2 && columns > sharedLayout.rows / 2;

/** Whether rows that lanes share are worth more than those that are repeated where there are too few. */
export const canFill = (gpu: Gpu, rows: number): boolean => rows > (isLavapipe(gpu) ? 1 : 4);

/** The narrowest layout for so many rows, else the widest. */
const fitting = (layouts: readonly ProductLayout[], rows: number): ProductLayout =>
  layouts.find((one) => rows <= one.rows) ?? layouts[layouts.length - 1]!;

const broadcasts = [lavapipe, others].map(({ lanes, rows, member }) =>
  rows.map((ROWS) => together(ROWS, lanes, { headers: { member }, overrides: { WG: lanes, ROWS } })),
) as [ProductLayout[], ProductLayout[]];

/** For dy^T x the rows are the outputs. */
const outputBroadcasts = [lavapipe, { ...others, rows: [8] }].map(({ lanes, rows, member }) =>
  rows.map((OUTS) => together(OUTS, lanes, { headers: { member }, overrides: { WG: lanes, OUTS } })),
) as [ProductLayout[], ProductLayout[]];

export const broadcastLayout = (gpu: Gpu, rows: number): ProductLayout =>
  fitting(broadcasts[isLavapipe(gpu) ? 0 : 1], rows);

export const outputBroadcastLayout = (gpu: Gpu, outputs: number): ProductLayout =>
  fitting(outputBroadcasts[isLavapipe(gpu) ? 0 : 1], outputs);

/** All of them, for building pipelines ahead and for tests that compile all. */
export const broadcastLayouts: readonly ProductLayout[] = broadcasts.flat();
export const outputBroadcastLayouts: readonly ProductLayout[] = outputBroadcasts.flat();

export const pipelinesOf = (kernel: KernelSource, layouts: readonly ProductLayout[]): KernelVariant[] =>
  layouts.flatMap(({ pipelines }) =>
    ("weight" in kernel.headers ? storageTypes : storageTypes.slice(0, 1)).map((weight) => ({
      kernel,
      variant: pipelines[weight],
    })),
  );
