/** @file Columns of an activation: picked out, and added into place, as adapters of parts of a fused matrix need them. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { columns as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** Whole vec4s where both ranges begin at one and hold no part of another. */
const variants = {
  vec4: { headers: { lanes: "vec4" } },
  f32: { headers: { lanes: "f32" } },
} as const;

export interface ColumnRange {
  /** First column; any, not only multiples of four. */
  readonly first: number;
  readonly count: number;
  /** Factor on the values. Default: 1. */
  readonly scale?: number;
}

/**
 * y = scale * x[:, first .. first + count]
 * @param x [T, N] f32
 * @returns [T, count] f32
 */
export function columns(gpu: Gpu, x: Tensor, { first, count, scale = 1 }: ColumnRange): Tensor {
  expectShape("columns", x, x.rows, x.cols);
  if (first < 0 || count < 1 || first + count > x.cols)
    throw new Error(`columns: ${x.shape} has no columns ${first} to ${first + count}`);
  const y = createTensor(gpu, x.rows, count, `${x.label} columns`, { capacity: x.capacity });
  record(gpu, x, y, { count, source: first, first: 0, scale, accumulate: 0 });
  return y;
}

/**
 * into[:, first ...] += scale * x
 * @param x [T, n] f32
 * @param into [T, N] f32, in another buffer
 */
export function addColumns(
  gpu: Gpu,
  x: Tensor,
  into: Tensor,
  { first, scale = 1 }: Omit<ColumnRange, "count">,
): void {
  expectShape("addColumns", x, into.rows, x.cols);
  expectShape("addColumns into", into, x.rows, into.cols);
  if (first < 0 || first + x.cols > into.cols)
    throw new Error(`addColumns: ${into.shape} has no columns ${first} to ${first + x.cols}`);
  record(gpu, x, into, { count: x.cols, source: 0, first, scale, accumulate: 1 });
}

interface Move {
  readonly count: number;
  /** First column that is read. */
  readonly source: number;
  /** First column that is written. */
  readonly first: number;
  readonly scale: number;
  readonly accumulate: number;
}

function record(gpu: Gpu, x: Tensor, y: Tensor, { count, source, first, scale, accumulate }: Move): void {
  const lanes = [count, source, first].every((n) => n % 4 === 0) ? "vec4" : "f32";
  const width = lanes === "vec4" ? 4 : 1;
  const items = (x.rows * count) / width;
  gpu.recorder.dispatch(kernel, {
    variant: variants[lanes],
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: {
      rows: x.rows,
      count: count / width,
      source: source / width,
      first: first / width,
      x_stride: x.stride / width,
      y_stride: y.stride / width,
      scale,
      accumulate,
    },
    workgroups: workgroupsForItems(items),
    work: 4 * x.rows * count,
  });
}

/** Every pipeline of both, for building them ahead and for tests that compile all. */
export const columnKernels: readonly KernelVariant[] = Object.values(variants).map((variant) => ({
  kernel,
  variant,
}));
