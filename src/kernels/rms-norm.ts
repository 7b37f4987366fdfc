/** @file RMSNorm over whole rows. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { rmsNorm as shared, rmsNormSingle as single } from "./generated/index.ts";
import { workgroupsForRows } from "./row-kernel.ts";
import { chooseRowVariant } from "./row-variants.ts";
import { expectShape } from "./shapes.ts";

const kernels = { shared, single };

/**
 * y = x / sqrt(mean(x^2) + eps) * weight over each row (Zhang & Sennrich 2019, eq. 4).
 * @param x [T, H] f32
 * @param weight [1, H] f32
 * @returns [T, H] f32
 */
export function rmsNorm(gpu: Gpu, x: Tensor, weight: Tensor, eps: number): Tensor {
  expectShape("rmsNorm", x, x.rows, x.cols);
  expectShape("rmsNorm", weight, 1, x.cols);
  const y = createTensor(gpu, x.rows, x.cols, "rms_norm", { capacity: x.capacity });
  gpu.recorder.dispatch(kernels[chooseRowVariant(gpu, "rmsNorm", weight)], {
    bindings: [bind(gpu, x), bind(gpu, weight), bind(gpu, y)],
    params: { rows: x.rows, cols: x.cols, stride4: x.stride4, eps },
    workgroups: workgroupsForRows(x.rows),
    work: 4 * x.rows * x.stride,
  });
  return y;
}
