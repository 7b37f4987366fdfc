/** @file A copy of an activation, where an operation in place must leave its input whole. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { copy as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/** @param x [T, H] f32 @returns [T, H] f32, padding included */
export function copy(gpu: Gpu, x: Tensor): Tensor {
  expectShape("copy", x, x.rows, x.cols);
  const y = createTensor(gpu, x.rows, x.cols, `${x.label} copy`, { capacity: x.capacity });
  const count = x.rows * x.stride4;
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, y)],
    params: { count },
    workgroups: workgroupsForItems(count),
    work: 8 * count,
  });
  return y;
}
