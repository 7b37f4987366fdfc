/**
 * @file The tensor-core class without matrix units: its factors rounded to f16 beforehand, for the products of the default
 * class. What the class means is what these give; its own kernel (matrix-class.ts) only adds in another order.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { bf16ToF16, roundF16 } from "./generated/index.ts";
import { gradientMaxima } from "./gradient-scale.ts";
import { ceilDiv } from "./shapes.ts";

const WG = 64;
const variant = { overrides: { WG } };

/** An activation or an f32 weight [rows, cols], rounded. */
export function roundedFactor(gpu: Gpu, x: Tensor): Tensor {
  return rounded(gpu, x, x, 0);
}

/** A gradient [T, N], scaled by a power of two, rounded, and scaled back. */
export function roundedGradient(gpu: Gpu, dy: Tensor): Tensor {
  return rounded(gpu, dy, gradientMaxima(gpu, dy), 1);
}

/** A weight as stored; f16 already is what it would be. */
export function roundedWeight(gpu: Gpu, weight: Tensor): Tensor {
  if (weight.dtype === "f16") return weight;
  if (weight.dtype === "f32") return roundedFactor(gpu, weight);
  const y = createTensor(gpu, weight.rows, weight.cols, `${weight.label} f16`, { dtype: "f16" });
  const into = rowWindows(gpu, y);
  rowWindows(gpu, weight).forEach(({ rows, binding }, i) => {
    const count = rows * weight.stride4;
    gpu.recorder.dispatch(bf16ToF16, {
      variant,
      bindings: [binding, into[i]!.binding],
      params: { count },
      workgroups: ceilDiv(count, WG),
      work: 4 * count,
    });
  });
  return y;
}

function rounded(gpu: Gpu, x: Tensor, maxima: Tensor, scaled: 0 | 1): Tensor {
  const y = createTensor(gpu, x.rows, x.cols, `${x.label} f16`, { capacity: x.capacity });
  const into = rowWindows(gpu, y);
  const [extra] = rowWindows(gpu, maxima);
  rowWindows(gpu, x).forEach(({ rows, binding }, i) => {
    const count = rows * x.stride4;
    gpu.recorder.dispatch(roundF16, {
      variant,
      // Without maxima their binding still needs a buffer; the kernel does not read it.
      bindings: [binding, extra!.binding, into[i]!.binding],
      params: { count, scaled },
      workgroups: ceilDiv(count, WG),
      work: 4 * count,
    });
  });
  return y;
}

export const roundedFactorKernels: readonly KernelVariant[] = [
  { kernel: roundF16, variant },
  { kernel: bf16ToF16, variant },
];
