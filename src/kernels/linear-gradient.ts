/**
 * @file The backward of the linear layer y = x W^T + b: gradients of its weight and of its input. The weight's gradient
 * sums over tokens in fixed chunks: the same batches give the same bits, other batches may not.
 */

import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import {
  linearInputGradient as inputKernel,
  linearWeightGradient as weightKernel,
} from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

/** Rows that are summed before their sum is added to the total; a function of nothing, so that the order is fixed. */
const chunk = 64;

/**
 * into = dy^T x, or into += dy^T x
 * @param dy [T, N] f32: d loss / d y
 * @param x [T, K] f32: the layer's input
 * @param into [N, K] f32, written (with no tokens: zeros), or added to with `accumulate`; larger than a binding is fine
 */
export function linearWeightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  into: Tensor,
  accumulate = false,
): void {
  expectShape("linearWeightGradient dy", dy, x.rows, into.rows);
  expectShape("linearWeightGradient x", x, x.rows, into.cols);
  expectShape("linearWeightGradient into", into, into.rows, into.cols);
  for (const { first, rows: outs, binding } of rowWindows(gpu, into, 4)) {
    gpu.recorder.dispatch(weightKernel, {
      bindings: [bind(gpu, dy), bind(gpu, x), binding],
      params: {
        rows: x.rows,
        outs,
        cols: x.cols,
        stride4: x.stride4,
        dy_stride4: dy.stride4,
        first4: first / 4,
        chunk,
        accumulate: accumulate ? 1 : 0,
      },
      workgroups: workgroupsForItems(ceilDiv(outs, 4) * x.stride4),
      work: 2 * x.rows * outs * x.cols,
    });
  }
}

/**
 * dx = (into ?? 0) + dy W
 * @param dy [T, N] f32: d loss / d y
 * @param weight [N, K] f32, f16 or bf16; larger than a binding is fine
 * @param into [T, K] f32: adds to this gradient instead of creating one
 * @returns [T, K] f32
 */
export function linearInputGradient(gpu: Gpu, dy: Tensor, weight: Tensor, into?: Tensor): Tensor {
  expectShape("linearInputGradient dy", dy, dy.rows, weight.rows);
  const dx = into ?? createTensor(gpu, dy.rows, weight.cols, `${weight.label} dx`, { capacity: dy.capacity });
  expectShape("linearInputGradient into", dx, dy.rows, weight.cols);
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    gpu.recorder.dispatch(inputKernel, {
      variant: { headers: { weight: weight.dtype } },
      bindings: [bind(gpu, dy), binding, bind(gpu, dx)],
      params: {
        rows: dy.rows,
        outs,
        cols: weight.cols,
        stride4: dx.stride4,
        w_stride4: weight.stride4,
        dy_stride4: dy.stride4,
        first4: first / 4,
        accumulate: into !== undefined || first > 0 ? 1 : 0,
      },
      workgroups: workgroupsForItems(ceilDiv(dy.rows, 4) * dx.stride4),
      work: 2 * dy.rows * outs * weight.cols,
    });
  }
  return dx;
}

/** Every pipeline of the linear layer's backward, for building them ahead and for tests that compile all. */
export const linearGradientKernels: readonly KernelVariant[] = [
  { kernel: weightKernel, variant: {} },
  ...["f32", "f16", "bf16"].map((weight) => ({ kernel: inputKernel, variant: { headers: { weight } } })),
];
