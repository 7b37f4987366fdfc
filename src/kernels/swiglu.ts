/** @file SwiGLU: the gated activation of Llama's and Qwen's feed-forward layers. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { swiglu as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

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
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, gateUp), bind(gpu, y)],
    params: { rows: y.rows, cols, in_stride4: gateUp.stride4, out_stride4: y.stride4 },
    workgroups: workgroupsForItems(y.rows * y.stride4),
    work: 12 * y.rows * y.stride,
  });
  return y;
}
