/** @file Residual addition. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { add as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
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
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { count },
    workgroups: workgroupsForItems(count),
    work: 12 * count,
  });
}
