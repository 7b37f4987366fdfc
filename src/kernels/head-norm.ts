/** @file RMSNorm of each head's columns, in place (Qwen3's q and k norms), and its backward. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { addChunks } from "./bias-gradient.ts";
import { headNormGradient as gradientKernel, headNorm as kernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const WG = 64;

export interface HeadRange {
  readonly heads: number;
  readonly headDim: number;
  /** First column of the first head. */
  readonly firstCol: number;
}

/**
 * x[:, heads] = x / sqrt(mean(x^2) + eps) * weight, over each head's `headDim` columns.
 * @param x [T, cols] f32, changed in place
 * @param weight [1, headDim] f32
 */
export function headNorm(gpu: Gpu, x: Tensor, weight: Tensor, eps: number, range: HeadRange): void {
  expectHeads("headNorm", x, weight, range);
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, weight), bind(gpu, x)],
    params: {
      rows: x.rows,
      heads: range.heads,
      head_dim: range.headDim,
      first: range.firstCol,
      stride: x.stride,
      eps,
    },
    workgroups: ceilDiv(x.rows * range.heads, WG),
    work: 4 * x.rows * range.heads * range.headDim,
  });
}

/** Heads whose share of the weight's gradient is summed before it is added; a function of nothing: a fixed order. */
const chunk = 16;

/**
 * The backward of `headNorm`, in place: d loss / d y in the heads' columns becomes d loss / d x.
 * @param dy [T, cols] f32, changed in place
 * @param x [T, cols] f32: the values before the norm
 * @param weight [1, headDim] f32
 * @param into [1, headDim] f32: the weight's gradient is added to it, if given
 */
export function headNormBackward(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  range: HeadRange,
  into?: Tensor,
): void {
  const { heads, headDim } = range;
  expectHeads("headNormBackward", dy, weight, range);
  expectShape("headNormBackward x", x, dy.rows, dy.cols);
  if (into !== undefined) expectShape("headNormBackward into", into, 1, headDim);
  using _ = gpu.scope();
  const chunks = ceilDiv(dy.rows * heads, chunk);
  const partials =
    into === undefined
      ? // The binding needs a buffer; nothing is written to it.
        createTensor(gpu, 1, 1, "head norm: no partial sums")
      : createTensor(gpu, chunks, headDim, "head norm partial sums", {
          capacity: ceilDiv(dy.capacity * heads, chunk),
        });
  gpu.recorder.dispatch(gradientKernel, {
    bindings: [bind(gpu, x), bind(gpu, weight), bind(gpu, dy), bind(gpu, partials)],
    params: {
      rows: dy.rows,
      heads,
      head_dim: headDim,
      first: range.firstCol,
      stride: dy.stride,
      partial_stride: into === undefined ? 0 : partials.stride,
      chunk,
      eps,
    },
    workgroups: workgroupsForItems(chunks),
    work: 12 * dy.rows * heads * headDim,
  });
  if (into !== undefined) addChunks(gpu, partials, into);
}

function expectHeads(op: string, x: Tensor, weight: Tensor, range: HeadRange): void {
  expectShape(op, weight, 1, range.headDim);
  if (range.firstCol + range.heads * range.headDim > x.cols)
    throw new Error(`${op}: heads go past the end of ${x.shape}`);
}

/** Every pipeline of this file. */
export const headNormKernels: readonly KernelVariant[] = [
  { kernel, variant: {} },
  { kernel: gradientKernel, variant: {} },
];
