/** @file The largest magnitudes of a gradient, by which the tensor-core class scales it before it is rounded to f16. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { absoluteMaxima } from "./generated/index.ts";

/** Parts of a gradient whose largest magnitudes are found apart; wgsl/lib/gradient_scale.wgsl reads so many. */
const parts = 64;
const variant = { overrides: { WG: 64 } };

/** @param dy [T, N] f32 @returns [1, 64] f32 whose bits are those of the parts' largest magnitudes */
export function gradientMaxima(gpu: Gpu, dy: Tensor): Tensor {
  const maxima = createTensor(gpu, 1, parts, `${dy.label} maxima`);
  const count = dy.rows * dy.stride4;
  gpu.recorder.dispatch(absoluteMaxima, {
    variant,
    bindings: [bind(gpu, dy), bind(gpu, maxima)],
    params: { count },
    workgroups: parts,
    work: 4 * count,
  });
  return maxima;
}

export const gradientScaleKernels: readonly KernelVariant[] = [{ kernel: absoluteMaxima, variant }];
