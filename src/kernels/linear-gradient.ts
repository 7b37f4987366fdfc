/**
 * @file The backward of the linear layer y = x W^T + b: gradients of its weight and of its input. The weight's gradient
 * sums over tokens in fixed chunks: the same batches give the same bits, other batches may not. All variants keep to one
 * order of sums and give equal bits, so which one runs is only a matter of speed.
 */

import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, rowsOf, rowWindows, type Tensor } from "../tensor/tensor.ts";
import {
  linearInputGradientBroadcast as inputBroadcast,
  linearInputGradientShared as inputShared,
  linearInputGradientTile as inputTile,
  linearWeightGradientBroadcast as weightBroadcast,
  linearWeightGradientShared as weightShared,
  linearWeightGradientTile as weightTile,
} from "./generated/index.ts";
import { inMatrixClass, matrixInputGradient, matrixWeightGradient } from "./matrix-class.ts";
import {
  broadcastLayout,
  broadcastLayouts,
  canFill,
  outputBroadcastLayout,
  outputBroadcastLayouts,
  type ProductLayout,
  pipelinesOf,
  prefersShared,
  sharedLayout,
  sharedLayoutOf,
  sharedLayouts,
  tileLayout,
} from "./products.ts";
import { roundedFactor, roundedGradient, roundedWeight } from "./rounded-factors.ts";
import { expectShape } from "./shapes.ts";
import { chooseVariant, fewInputRows, hasSubgroups, type OperationVariants } from "./variants.ts";

/**
 * tile: 4 x 4 results per invocation. broadcast: 8 to 32 x 4, with rows of dy shared by a subgroup. shared: 8 x 8 with both
 * factors in workgroup memory, for GPUs.
 */
export type GradientVariant = "tile" | "broadcast" | "shared";

export const gradientVariants: readonly GradientVariant[] = ["tile", "broadcast", "shared"];

const canRun = (gpu: Gpu, variant: GradientVariant): boolean => variant !== "broadcast" || hasSubgroups(gpu);

export const linearInputGradientOperation: OperationVariants<GradientVariant> = {
  operation: "linear_input_gradient",
  variants: gradientVariants,
  equalBits: true,
  canRun,
};

export const linearWeightGradientOperation: OperationVariants<GradientVariant> = {
  operation: "linear_weight_gradient",
  variants: gradientVariants,
  equalBits: true,
  canRun,
};

/** Rows that are summed before their sum is added to the total; a function of nothing, so that the order is fixed. */
const chunk = 64;
const inputKernels = { tile: inputTile, broadcast: inputBroadcast, shared: inputShared } as const;
const weightKernels = { tile: weightTile, broadcast: weightBroadcast, shared: weightShared } as const;

/**
 * The input's gradient reads columns of the weight, once per tile of rows. Where a CPU's caches hold about so many bytes of
 * the weight, outputs go in blocks of that size, whose sums are added in order: 1.1 to 1.25 times as fast at 256 rows.
 */
const cachedBytes = 4 * 2 ** 20;
/** With fewer rows there is hardly a second read. */
const rowsToCacheFor = 64;

/** Bytes of each block of the weight, all of about one size. */
function blockBytes(gpu: Gpu, rows: number, { rows: outputs, rowBytes }: Tensor): number {
  const blocks = Math.round((outputs * rowBytes) / cachedBytes);
  if (!gpu.facts.software || rows < rowsToCacheFor || blocks < 2) return Number.POSITIVE_INFINITY;
  return Math.ceil(outputs / blocks + 4) * rowBytes;
}

/**
 * The weight's gradient reads columns of dy and x, once per tile of outputs. Rows of so many bytes lie in few sets of a CPU's
 * caches, which then hold columns of about so many tokens: 1.15 to 1.27 times as fast at 1024 tokens.
 */
const longRow = 8 * 2 ** 10;
const tokensToCache = 512;

/** Tokens that are summed before their sum is added to the gradient: all, or blocks of about one size, of whole chunks. */
function blockTokens(gpu: Gpu, dy: Tensor, x: Tensor): number {
  const blocks = Math.round(x.rows / tokensToCache);
  if (!gpu.facts.software || blocks < 2 || Math.max(dy.rowBytes, x.rowBytes) < longRow) return x.rows;
  return Math.ceil(x.rows / blocks / chunk) * chunk;
}

const layouts = { tile: tileLayout, shared: sharedLayout } as const;

/** Whether lanes that share rows have something to compute: in narrow results most of them would not. */
const canShare = (gpu: Gpu, rows: number, { stride4 }: Tensor): boolean =>
  hasSubgroups(gpu) && canFill(gpu, rows) && stride4 >= broadcastLayout(gpu, rows).groups / 2;

function defaultFor(gpu: Gpu, rows: number, result: Tensor): GradientVariant {
  if (prefersShared(gpu, rows, result.cols)) return "shared";
  return canShare(gpu, rows, result) ? "broadcast" : "tile";
}

/** The variant for dx of so many rows. */
function chooseInput(gpu: Gpu, rows: number, dx: Tensor, weight: Tensor): GradientVariant {
  const byDefault = defaultFor(gpu, rows, dx);
  return chooseVariant(gpu, linearInputGradientOperation, byDefault, weight, rows <= fewInputRows);
}

/** The variant for dw [N, K]. */
function chooseWeight(gpu: Gpu, dw: Tensor): GradientVariant {
  const byDefault = defaultFor(gpu, dw.rows, dw);
  return chooseVariant(gpu, linearWeightGradientOperation, byDefault, dw);
}

function weightLayout(gpu: Gpu, variant: GradientVariant, dw: Tensor): ProductLayout {
  if (variant === "broadcast") return outputBroadcastLayout(gpu, dw.rows);
  return variant === "shared" ? sharedLayoutOf(dw) : tileLayout;
}

/**
 * into = dy^T x, or into += dy^T x
 * @param dy [T, N] f32: d loss / d y
 * @param x [T, K] f32: the layer's input
 * @param into [N, K] f32, written (with no tokens: zeros), or added to with `accumulate`; larger than a binding is fine
 * @param forced always in f32; default: the fastest one for the shape on this adapter, or what its precision class says
 */
export function linearWeightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  into: Tensor,
  accumulate = false,
  forced?: GradientVariant,
): void {
  expectShape("linearWeightGradient dy", dy, x.rows, into.rows);
  expectShape("linearWeightGradient x", x, x.rows, into.cols);
  expectShape("linearWeightGradient into", into, into.rows, into.cols);
  if (forced === undefined && inMatrixClass(gpu, into)) {
    weightGradientOfMatrixClass(gpu, dy, x, into, accumulate);
    return;
  }
  const variant = forced ?? chooseWeight(gpu, into);
  const block = blockTokens(gpu, dy, x);
  if (block < x.rows) {
    for (let first = 0; first < x.rows; first += block) {
      const count = Math.min(block, x.rows - first);
      const part = (tensor: Tensor) => rowsOf(gpu, tensor, first, count);
      linearWeightGradient(gpu, part(dy), part(x), into, accumulate || first > 0, variant);
    }
    return;
  }
  const layout = weightLayout(gpu, variant, into);
  for (const { first, rows: outs, binding } of rowWindows(gpu, into, 4)) {
    gpu.recorder.dispatch(weightKernels[variant], {
      variant: layout.pipelines.f32,
      bindings: [bind(gpu, dy), bind(gpu, x), binding],
      params: {
        rows: x.rows,
        outs,
        cols: x.cols,
        stride4: x.stride4,
        dy_stride4: dy.stride4,
        first4: first / 4,
        chunk,
        accumulate: accumulate ? 1 : 0,
      },
      workgroups: layout.workgroups(outs, x.stride4),
      work: 2 * x.rows * outs * x.cols,
    });
  }
}

/** Matrix units, or rounded factors in f32. */
function weightGradientOfMatrixClass(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  into: Tensor,
  accumulate: boolean,
): void {
  using _scope = gpu.scope();
  if (gpu.precision === "f16") matrixWeightGradient(gpu, dy, x, into, accumulate);
  else {
    const [roundedDy, roundedX] = [roundedGradient(gpu, dy), roundedFactor(gpu, x)];
    linearWeightGradient(gpu, roundedDy, roundedX, into, accumulate, chooseWeight(gpu, into));
  }
}

export interface LinearInputGradientOptions {
  /** Writes to `into`, whatever it holds, instead of adding. */
  readonly overwrite?: boolean;
  /** Always in f32. Default: the fastest one for the shape on this adapter, or what its precision class says. */
  readonly variant?: GradientVariant;
}

/**
 * dx = (into ?? 0) + dy W
 * @param dy [T, N] f32: d loss / d y
 * @param weight [N, K] f32, f16 or bf16; larger than a binding is fine
 * @param into [T, K] f32: adds to this gradient instead of creating one
 * @returns [T, K] f32
 */
export function linearInputGradient(
  gpu: Gpu,
  dy: Tensor,
  weight: Tensor,
  into?: Tensor,
  options: LinearInputGradientOptions = {},
): Tensor {
  expectShape("linearInputGradient dy", dy, dy.rows, weight.rows);
  const dx = into ?? createTensor(gpu, dy.rows, weight.cols, `${weight.label} dx`, { capacity: dy.capacity });
  expectShape("linearInputGradient into", dx, dy.rows, weight.cols);
  const add = into !== undefined && options.overwrite !== true;
  if (options.variant === undefined && inMatrixClass(gpu, weight)) {
    if (gpu.precision === "f16") return matrixInputGradient(gpu, dy, weight, dx, add);
    using _scope = gpu.scope();
    const variant = chooseInput(gpu, dy.rows, dx, weight);
    const factors = [roundedGradient(gpu, dy), roundedWeight(gpu, weight)] as const;
    return linearInputGradient(gpu, ...factors, dx, { overwrite: !add, variant });
  }
  const variant = options.variant ?? chooseInput(gpu, dy.rows, dx, weight);
  const layout = variant === "broadcast" ? broadcastLayout(gpu, dy.rows) : layouts[variant];
  const wanted = blockBytes(gpu, dy.rows, weight);
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4, wanted)) {
    gpu.recorder.dispatch(inputKernels[variant], {
      variant: layout.pipelines[weight.dtype],
      bindings: [bind(gpu, dy), binding, bind(gpu, dx)],
      params: {
        rows: dy.rows,
        outs,
        cols: weight.cols,
        stride4: dx.stride4,
        w_stride4: weight.stride4,
        dy_stride4: dy.stride4,
        first4: first / 4,
        accumulate: add || first > 0 ? 1 : 0,
      },
      workgroups: layout.workgroups(dy.rows, dx.stride4),
      work: 2 * dy.rows * outs * weight.cols,
    });
  }
  return dx;
}

/** Every pipeline of the linear layer's backward, for building them ahead and for tests that compile all. */
export const linearGradientKernels: readonly KernelVariant[] = [
  ...pipelinesOf(inputKernels.tile, [tileLayout]),
  ...pipelinesOf(inputKernels.broadcast, broadcastLayouts),
  ...pipelinesOf(inputKernels.shared, [sharedLayout]),
  ...pipelinesOf(weightKernels.tile, [tileLayout]),
  ...pipelinesOf(weightKernels.broadcast, outputBroadcastLayouts),
  ...pipelinesOf(weightKernels.shared, sharedLayouts),
];
