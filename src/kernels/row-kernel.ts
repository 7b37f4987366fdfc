/** @file Grids of the kernels that walk rows: eight lanes to a row (wgsl/lib/row_sum.wgsl), or one lane to a vec4. */
import type { Gpu } from "../gpu/gpu.ts";
import { ceilDiv } from "./shapes.ts";

/** Invocations per workgroup. */
const WG = 64;
const lanesPerRow = 8;

/** Workgroups for a kernel that gives eight lanes to each row. */
export const workgroupsForRows = (rows: number): number => ceilDiv(rows, WG / lanesPerRow);

/**
 * Items apart that one invocation of an elementwise kernel takes: it walks i, i + step, ... of `count`. On a CPU adapter
 * starting an invocation costs as much as several items (16 for one made `add` and `swiglu` 1.8 times faster); a GPU
 * wants many.
 */
export const itemStep = (gpu: Gpu, count: number): number => ceilDiv(count, gpu.facts.software ? 16 : 1);

/** Workgroups for a kernel that gives one lane to each item. */
export const workgroupsForItems = (count: number): number => ceilDiv(count, WG);
