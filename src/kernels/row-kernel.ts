/** @file Grids of the kernels that walk rows: eight lanes to a row (wgsl/lib/row_sum.wgsl), or one lane to a vec4. */
import { ceilDiv } from "./shapes.ts";

/** Invocations per workgroup. */
const WG = 64;
const lanesPerRow = 8;

/** Workgroups for a kernel that gives eight lanes to each row. */
export const workgroupsForRows = (rows: number): number => ceilDiv(rows, WG / lanesPerRow);

/** Workgroups for a kernel that gives one lane to each item. */
export const workgroupsForItems = (count: number): number => ceilDiv(count, WG);
