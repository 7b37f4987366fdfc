/**
 * @file The backward of RMSNorm and LayerNorm. A weight's gradient sums over tokens in fixed chunks, then over the chunks
 * in order: the same batches give the same bits, other batches may not.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { addChunks, biasGradient, chunk } from "./bias-gradient.ts";
import {
  normInputGradient as normInputGradientShared,
  normInputGradientSingle,
  normStatistics,
  normWeightGradient,
} from "./generated/index.ts";
import { workgroupsForItems, workgroupsForRows } from "./row-kernel.ts";
import { chooseRowVariant } from "./row-variants.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const form = {
  rmsNorm: { overrides: { CENTERED: 0 } },
  layerNorm: { overrides: { CENTERED: 1 } },
} as const;
type Norm = keyof typeof form;

const inputKernels = { shared: normInputGradientShared, single: normInputGradientSingle };

/**
 * The gradient of y = x / sqrt(mean(x^2) + eps) * weight with respect to x.
 * @param dy [T, H] f32: d loss / d y
 * @param x [T, H] f32: the norm's input
 * @param weight [1, H] f32
 * @param into [T, H] f32: adds to this gradient instead of creating one
 * @returns [T, H] f32
 */
export function rmsNormInputGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  into?: Tensor,
): Tensor {
  return inputGradient(gpu, "rmsNorm", { dy, x, weight, eps, into });
}

/** into += the gradient of RMSNorm with respect to its weight; dy, x as above, into [1, H] f32. */
export function rmsNormWeightGradient(gpu: Gpu, dy: Tensor, x: Tensor, eps: number, into: Tensor): void {
  weightGradient(gpu, "rmsNorm", { dy, x, eps, into });
}

/**
 * The gradient of y = (x - mean) / sqrt(variance + eps) * weight + bias with respect to x.
 * @param dy [T, H] f32: d loss / d y
 * @param x [T, H] f32: the norm's input
 * @param weight [1, H] f32
 * @param into [T, H] f32: adds to this gradient instead of creating one
 * @returns [T, H] f32
 */
export function layerNormInputGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  into?: Tensor,
): Tensor {
  return inputGradient(gpu, "layerNorm", { dy, x, weight, eps, into });
}

/** intoWeight and intoBias, [1, H] f32 each, += the gradients of LayerNorm; dy, x as above. */
export function layerNormWeightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  eps: number,
  intoWeight: Tensor,
  intoBias: Tensor,
): void {
  weightGradient(gpu, "layerNorm", { dy, x, eps, into: intoWeight });
  biasGradient(gpu, dy, intoBias);
}

interface InputCall {
  readonly dy: Tensor;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly eps: number;
  readonly into: Tensor | undefined;
}

function inputGradient(gpu: Gpu, norm: Norm, { dy, x, weight, eps, into }: InputCall): Tensor {
  const op = `${norm}InputGradient`;
  expectShape(`${op} dy`, dy, x.rows, x.cols);
  expectShape(`${op} x`, x, x.rows, x.cols);
  expectShape(`${op} weight`, weight, 1, x.cols);
  const dx = into ?? createTensor(gpu, x.rows, x.cols, `${norm} dx`, { capacity: x.capacity });
  expectShape(`${op} into`, dx, x.rows, x.cols);
  gpu.recorder.dispatch(inputKernels[chooseRowVariant(gpu, "normInputGradient", weight)], {
    variant: form[norm],
    bindings: [bind(gpu, dy), bind(gpu, x), bind(gpu, weight), bind(gpu, dx)],
    params: {
      rows: x.rows,
      cols: x.cols,
      stride4: x.stride4,
      eps,
      accumulate: into === undefined ? 0 : 1,
    },
    workgroups: workgroupsForRows(x.rows),
    work: 12 * x.rows * x.stride,
  });
  return dx;
}

interface WeightCall {
  readonly dy: Tensor;
  readonly x: Tensor;
  readonly eps: number;
  readonly into: Tensor;
}

function weightGradient(gpu: Gpu, norm: Norm, { dy, x, eps, into }: WeightCall): void {
  const op = `${norm}WeightGradient`;
  expectShape(`${op} dy`, dy, x.rows, x.cols);
  expectShape(`${op} x`, x, x.rows, x.cols);
  expectShape(`${op} into`, into, 1, x.cols);
  const { rows, cols, stride4 } = x;
  using _scope = gpu.scope();
  const stats = createTensor(gpu, rows, 4, "norm statistics", { capacity: x.capacity });
  const partials = createTensor(gpu, ceilDiv(rows, chunk), cols, "norm partial sums", {
    capacity: ceilDiv(x.capacity, chunk),
  });
  gpu.recorder.dispatch(normStatistics, {
    variant: form[norm],
    bindings: [bind(gpu, x), bind(gpu, stats)],
    params: { rows, cols, stride4, eps },
    workgroups: workgroupsForRows(rows),
    work: 6 * rows * x.stride,
  });
  gpu.recorder.dispatch(normWeightGradient, {
    bindings: [bind(gpu, dy), bind(gpu, x), bind(gpu, stats), bind(gpu, partials)],
    params: { rows, cols, stride4, chunk },
    workgroups: workgroupsForItems(partials.rows * stride4),
    work: 8 * rows * x.stride,
  });
  addChunks(gpu, partials, into);
}

/** Every pipeline of the norms' backward, for building them ahead and for tests that compile all. */
export const normGradientKernels: readonly KernelVariant[] = [
  ...Object.values(form).flatMap((variant) => [
    ...Object.values(inputKernels).map((kernel) => ({ kernel, variant })),
    { kernel: normStatistics, variant },
  ]),
  { kernel: normWeightGradient, variant: {} },
];
