/** @file The backward of GELU in both its forms. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { type GeluForm, geluVariant } from "./gelu.ts";
import { geluGradient as kernel } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/**
 * The gradient of y = x Phi(x), element by element.
 * @param dy [T, I] f32: d loss / d y
 * @param x [T, I] f32: the activation's input
 * @returns [T, I] f32
 */
export function geluGradient(gpu: Gpu, dy: Tensor, x: Tensor, form: GeluForm): Tensor {
  expectShape("geluGradient dy", dy, x.rows, x.cols);
  expectShape("geluGradient x", x, x.rows, x.cols);
  const dx = createTensor(gpu, x.rows, x.cols, "gelu dx", { capacity: x.capacity });
  const count = x.rows * x.stride4;
  const step = itemStep(gpu, count);
  gpu.recorder.dispatch(kernel, {
    variant: geluVariant[form],
    bindings: [bind(gpu, dy), bind(gpu, x), bind(gpu, dx)],
    params: { count, step },
    workgroups: workgroupsForItems(step),
    work: 120 * count,
  });
  return dx;
}

/** Every pipeline of GELU's backward, for building them ahead and for tests that compile all. */
export const geluGradientKernels: readonly KernelVariant[] = Object.values(geluVariant).map((variant) => ({
  kernel,
  variant,
}));
