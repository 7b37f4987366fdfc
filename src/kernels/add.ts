/** @file Residual addition. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { add as kernel } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/**
 * y += x, in place.
 * @param y [T, H] f32
 * @param x [T, H] f32, in another buffer
 */
export function addInto(gpu: Gpu, y: Tensor, x: Tensor): void {
  expectShape("addInto", y, y.rows, y.cols);
  expectShape("addInto", x, y.rows, y.cols);
  const count = y.rows * y.stride4;
  const step = itemStep(gpu, count);
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { count, step },
    workgroups: workgroupsForItems(step),
    work: 12 * count,
  });
}
