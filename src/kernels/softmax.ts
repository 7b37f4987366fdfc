/** @file Softmax over whole rows, and its backward. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import {
  softmaxGradient as gradientShared,
  softmaxGradientSingle as gradientSingle,
  softmax as shared,
  softmaxSingle as single,
} from "./generated/index.ts";
import { workgroupsForRows } from "./row-kernel.ts";
import { chooseRowVariant } from "./row-variants.ts";
import { expectShape } from "./shapes.ts";

const kernels = { shared, single };
const gradients = { shared: gradientShared, single: gradientSingle };

/**
 * y = exp(x - max(x)) / sum(exp(x - max(x))) over each row (Bridle 1990, eq. 10). -Inf gives 0; a row with NaN, with +Inf
 * or of -Inf alone is NaN.
 * @param x [T, H] f32
 * @returns [T, H] f32
 */
export function softmax(gpu: Gpu, x: Tensor): Tensor {
  expectShape("softmax", x, x.rows, x.cols);
  const y = createTensor(gpu, x.rows, x.cols, "softmax", { capacity: x.capacity });
  gpu.recorder.dispatch(kernels[chooseRowVariant(gpu, "softmax")], {
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { rows: x.rows, cols: x.cols, stride4: x.stride4 },
    workgroups: workgroupsForRows(x.rows),
    work: 6 * x.rows * x.stride,
  });
  return y;
}

/**
 * The gradient of softmax with respect to its input.
 * @param dy [T, H] f32: d loss / d y
 * @param y [T, H] f32: the softmax
 * @param into [T, H] f32: adds to this gradient instead of creating one
 * @returns [T, H] f32
 */
export function softmaxGradient(gpu: Gpu, dy: Tensor, y: Tensor, into?: Tensor): Tensor {
  expectShape("softmaxGradient dy", dy, y.rows, y.cols);
  expectShape("softmaxGradient y", y, y.rows, y.cols);
  const dx = into ?? createTensor(gpu, y.rows, y.cols, "softmax dx", { capacity: y.capacity });
  expectShape("softmaxGradient into", dx, y.rows, y.cols);
  gpu.recorder.dispatch(gradients[chooseRowVariant(gpu, "softmaxGradient")], {
    bindings: [bind(gpu, dy), bind(gpu, y), bind(gpu, dx)],
    params: { rows: y.rows, cols: y.cols, stride4: y.stride4, accumulate: into === undefined ? 0 : 1 },
    workgroups: workgroupsForRows(y.rows),
    work: 4 * y.rows * y.stride,
  });
  return dx;
}

/** Every pipeline of softmax and its backward, for building them ahead and for tests that compile all. */
export const softmaxKernels: readonly KernelVariant[] = [
  ...Object.values(kernels),
  ...Object.values(gradients),
].map((kernel) => ({ kernel, variant: {} }));
