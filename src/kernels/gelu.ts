/** @file GELU: the activation of GPT-2's feed-forward layers. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { gelu as kernel } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** "erf" is x Phi(x) itself, "tanh" the approximation that GPT-2 was trained with ("gelu_new"). */
export type GeluForm = "tanh" | "erf";

export const geluVariant = {
  tanh: { overrides: { FORM: 0 } },
  erf: { overrides: { FORM: 1 } },
} as const;

/**
 * y = x Phi(x), element by element (Hendrycks & Gimpel 2016, section 2).
 * @param x [T, I] f32
 * @returns [T, I] f32
 */
export function gelu(gpu: Gpu, x: Tensor, form: GeluForm): Tensor {
  expectShape("gelu", x, x.rows, x.cols);
  const y = createTensor(gpu, x.rows, x.cols, "gelu", { capacity: x.capacity });
  const count = x.rows * x.stride4;
  const step = itemStep(gpu, count);
  gpu.recorder.dispatch(kernel, {
    variant: geluVariant[form],
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { count, step },
    workgroups: workgroupsForItems(step),
    work: 80 * count,
  });
  return y;
}
