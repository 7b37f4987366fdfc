/** @file LayerNorm over whole rows. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { layerNorm as shared, layerNormSingle as single } from "./generated/index.ts";
import { workgroupsForRows } from "./row-kernel.ts";
import { chooseRowVariant } from "./row-variants.ts";
import { expectShape } from "./shapes.ts";

const kernels = { shared, single };

/**
 * y = (x - mean) / sqrt(variance + eps) * weight + bias over each row (Ba, Kiros & Hinton 2016, eq. 3 and 4).
 * @param x [T, H] f32
 * @param weight [1, H] f32
 * @param bias [1, H] f32
 * @returns [T, H] f32
 */
export function layerNorm(gpu: Gpu, x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  expectShape("layerNorm", x, x.rows, x.cols);
  expectShape("layerNorm", weight, 1, x.cols);
  expectShape("layerNorm", bias, 1, x.cols);
  const y = createTensor(gpu, x.rows, x.cols, "layer_norm", { capacity: x.capacity });
  gpu.recorder.dispatch(kernels[chooseRowVariant(gpu, "layerNorm", weight)], {
    bindings: [bind(gpu, x), bind(gpu, weight), bind(gpu, bias), bind(gpu, y)],
    params: { rows: x.rows, cols: x.cols, stride4: x.stride4, eps },
    workgroups: workgroupsForRows(x.rows),
    work: 8 * x.rows * x.stride,
  });
  return y;
}
