/** @file Sums over runs of rows, such as the tokens of each reply, and their backward. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { segmentSpread, segmentSums as sumsKernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** Rows of a segment that are summed before their sum is added to the total. */
const chunk = 32;

/**
 * y[n] = sum of x[offsets[n]] .. x[offsets[n + 1] - 1], in order; 0 for an empty segment. The same bits wherever the
 * segment lies.
 * @param x [E, 1] f32 @param offsets [N + 1, 1] i32, ascending from 0 to E
 * @returns [N, 1] f32
 */
export function segmentSums(gpu: Gpu, x: Tensor, offsets: Tensor): Tensor {
  const segments = offsets.rows - 1;
  expectShape("segmentSums", x, x.rows, 1);
  expectShape("segmentSums offsets", offsets, offsets.rows, 1, "i32");
  const y = createTensor(gpu, segments, 1, `${x.label}, summed`, { capacity: offsets.capacity - 1 });
  gpu.recorder.dispatch(sumsKernel, {
    bindings: [bind(gpu, x), bind(gpu, offsets), bind(gpu, y)],
    params: { segments, chunk },
    workgroups: workgroupsForItems(segments),
    work: 4 * x.rows,
  });
  return y;
}

/**
 * The backward of `segmentSums`: dx[e] = dy[n] of the segment that holds e.
 * @param dy [N, 1] f32 @param offsets [N + 1, 1] i32, ascending from 0 to E
 * @param shape of x: its rows E, and those to make room for
 * @returns [E, 1] f32
 */
export function segmentSumsGradient(
  gpu: Gpu,
  dy: Tensor,
  offsets: Tensor,
  shape: { readonly rows: number; readonly capacity: number },
): Tensor {
  const segments = offsets.rows - 1;
  expectShape("segmentSumsGradient", dy, segments, 1);
  expectShape("segmentSumsGradient offsets", offsets, offsets.rows, 1, "i32");
  const dx = createTensor(gpu, shape.rows, 1, `${dy.label}, spread`, { capacity: shape.capacity });
  gpu.recorder.dispatch(segmentSpread, {
    bindings: [bind(gpu, dy), bind(gpu, offsets), bind(gpu, dx)],
    params: { rows: shape.rows, segments },
    workgroups: workgroupsForItems(shape.rows),
    work: 20 * shape.rows,
  });
  return dx;
}

/** Every pipeline of this file, for building them ahead and for tests that compile all. */
export const segmentKernels: readonly KernelVariant[] = [
  { kernel: sumsKernel, variant: {} },
  { kernel: segmentSpread, variant: {} },
];
