/** @file The backward of SwiGLU. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { swigluGradient as kernel } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";
import { swigluUnits, swigluVariants } from "./swiglu.ts";

/**
 * The gradient of y = silu(gate) * up.
 * @param dy [T, I] f32: d loss / d y
 * @param gateUp [T, 2 I] f32: gate in the first I columns, up in the others
 * @returns [T, 2 I] f32: the gradients of gate and up, side by side
 */
export function swigluGradient(gpu: Gpu, dy: Tensor, gateUp: Tensor): Tensor {
  expectShape("swigluGradient dy", dy, gateUp.rows, gateUp.cols / 2);
  expectShape("swigluGradient gateUp", gateUp, gateUp.rows, 2 * dy.cols);
  const d = createTensor(gpu, gateUp.rows, gateUp.cols, "swiglu dx", { capacity: gateUp.capacity });
  const { width, variant } = swigluUnits(dy.cols);
  const half = dy.cols / width;
  const step = itemStep(gpu, half);
  gpu.recorder.dispatch(kernel, {
    variant,
    bindings: [bind(gpu, dy), bind(gpu, gateUp), bind(gpu, d)],
    params: { rows: dy.rows, half, stride: d.stride / width, dy_stride: dy.stride / width, step },
    workgroups: workgroupsForItems(dy.rows * step),
    work: 20 * dy.rows * dy.stride,
  });
  return d;
}

/** Every pipeline of SwiGLU's backward, for building them ahead and for tests that compile all. */
export const swigluGradientKernels: readonly KernelVariant[] = swigluVariants.map((variant) => ({
  kernel,
  variant,
}));
