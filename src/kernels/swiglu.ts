/** @file SwiGLU: the gated activation of Llama's and Qwen's feed-forward layers. */
import type { Gpu } from "../gpu/gpu.ts";
import type { Variant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { swiglu as kernel } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** What the kernels load at a time: whole vec4s where up begins at one. */
const units = {
  vec4: { width: 4, variant: { headers: { lanes: "vec4" } } },
  f32: { width: 1, variant: { headers: { lanes: "f32" } } },
} as const;

/** @param cols of gate, and of up */
export const swigluUnits = (cols: number): (typeof units)["vec4" | "f32"] =>
  cols % 4 === 0 ? units.vec4 : units.f32;

export const swigluVariants: readonly Variant[] = Object.values(units).map(({ variant }) => variant);

/**
 * y = silu(gate) * up (Shazeer 2020, eq. 5).
 * @param gateUp [T, 2 I] f32: gate in the first I columns, up in the others
 * @returns [T, I] f32
 */
export function swiglu(gpu: Gpu, gateUp: Tensor): Tensor {
  expectShape("swiglu", gateUp, gateUp.rows, gateUp.cols);
  const cols = gateUp.cols / 2;
  if (!Number.isInteger(cols)) throw new Error(`swiglu: ${gateUp.shape} has no two equal halves`);
  const y = createTensor(gpu, gateUp.rows, cols, "swiglu", { capacity: gateUp.capacity });
  const { width, variant } = swigluUnits(cols);
  const half = cols / width;
  const step = itemStep(gpu, half);
  gpu.recorder.dispatch(kernel, {
    variant,
    bindings: [bind(gpu, gateUp), bind(gpu, y)],
    params: { rows: y.rows, half, stride: gateUp.stride / width, y_stride: y.stride / width, step },
    workgroups: workgroupsForItems(y.rows * step),
    work: 12 * y.rows * y.stride,
  });
  return y;
}
