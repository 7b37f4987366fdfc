/**
 * @file Sums over tokens: the gradient of a bias. In fixed chunks of rows, then over the chunks in order: the same batches
 * give the same bits, other batches may not.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { columnSums } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

/** Rows that are summed before their sum is added to the total; a function of nothing, so that the order is fixed. */
export const chunk = 64;

/**
 * into += the sum of dy's rows
 * @param dy [T, N] f32: d loss / d y
 * @param into [1, N] f32
 */
export function biasGradient(gpu: Gpu, dy: Tensor, into: Tensor): void {
  expectShape("biasGradient dy", dy, dy.rows, dy.cols);
  expectShape("biasGradient into", into, 1, dy.cols);
  using _scope = gpu.scope();
  const partials = createTensor(gpu, ceilDiv(dy.rows, chunk), dy.cols, "bias partial sums", {
    capacity: ceilDiv(dy.capacity, chunk),
  });
  sums(gpu, dy, partials, { chunk, accumulate: 0 });
  addChunks(gpu, partials, into);
}

/**
 * into += the sum of the chunks' sums, in order
 * @param partials [chunks, N] f32
 * @param into [1, N] f32
 */
export function addChunks(gpu: Gpu, partials: Tensor, into: Tensor): void {
  sums(gpu, partials, into, { chunk: partials.rows, accumulate: 1 });
}

function sums(gpu: Gpu, x: Tensor, y: Tensor, p: { chunk: number; accumulate: number }): void {
  if (x.rows === 0) return;
  gpu.recorder.dispatch(columnSums, {
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { rows: x.rows, stride4: x.stride4, ...p },
    workgroups: workgroupsForItems(ceilDiv(x.rows, p.chunk) * x.stride4),
    work: 4 * x.rows * x.stride,
  });
}

/** Every pipeline of the bias's backward, for building them ahead and for tests that compile all. */
export const biasGradientKernels = [{ kernel: columnSums, variant: {} }] as const;
