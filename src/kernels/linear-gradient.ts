/**
 * @file The backward of the linear layer y = x W^T + b: gradients of its weight and of its input. The weight's gradient
 * sums over tokens in fixed chunks: the same batches give the same bits, other batches may not. Both variants keep to one
 * order of sums and give equal bits, so which one runs is only a matter of speed.
 */

import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import {
  linearInputGradientBroadcast as inputBroadcast,
  linearInputGradient as inputTile,
  linearWeightGradientBroadcast as weightBroadcast,
  linearWeightGradient as weightTile,
} from "./generated/index.ts";
import { broadcastLanes, canRun, lanesThatShare } from "./linear.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

/** tile: 4 x 4 results per invocation. broadcast: 8 x 4, with rows of dy shared by a subgroup. */
export type LinearGradientVariant = "tile" | "broadcast";

export const linearGradientVariants: readonly LinearGradientVariant[] = ["tile", "broadcast"];

/** Rows that are summed before their sum is added to the total; a function of nothing, so that the order is fixed. */
const chunk = 64;
const WG = 64;
/** Rows of dx, or of dw, that one invocation computes. */
const tileRows: Readonly<Record<LinearGradientVariant, number>> = { tile: 4, broadcast: 8 };
const inputKernels = { tile: inputTile, broadcast: inputBroadcast } as const;
const weightKernels = { tile: weightTile, broadcast: weightBroadcast } as const;

/** The faster one for results of so many rows of `stride4` vec4s: in narrow ones most lanes would compute nothing. */
function choose(gpu: Gpu, rows: number, stride4: number): LinearGradientVariant {
  const filled = rows >= tileRows.broadcast && stride4 >= lanesThatShare(gpu) / 2;
  return filled && canRun(gpu, "broadcast") ? "broadcast" : "tile";
}

/** Lanes per workgroup, and workgroups, for results of so many rows of `stride4` vec4s. */
function grid(gpu: Gpu, variant: LinearGradientVariant, rows: number, stride4: number) {
  const tiles = ceilDiv(rows, tileRows[variant]);
  if (variant === "tile") return { lanes: WG, workgroups: ceilDiv(tiles * stride4, WG) };
  const lanes = lanesThatShare(gpu);
  return { lanes, workgroups: tiles * ceilDiv(stride4, lanes) };
}

/**
 * into = dy^T x, or into += dy^T x
 * @param dy [T, N] f32: d loss / d y
 * @param x [T, K] f32: the layer's input
 * @param into [N, K] f32, written (with no tokens: zeros), or added to with `accumulate`; larger than a binding is fine
 * @param variant default: the faster one for the shape on this adapter
 */
export function linearWeightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  into: Tensor,
  accumulate = false,
  variant = choose(gpu, into.rows, into.stride4),
): void {
  expectShape("linearWeightGradient dy", dy, x.rows, into.rows);
  expectShape("linearWeightGradient x", x, x.rows, into.cols);
  expectShape("linearWeightGradient into", into, into.rows, into.cols);
  for (const { first, rows: outs, binding } of rowWindows(gpu, into, 4)) {
    const { lanes, workgroups } = grid(gpu, variant, outs, x.stride4);
    gpu.recorder.dispatch(weightKernels[variant], {
      variant: { overrides: { WG: lanes } },
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
      workgroups,
      work: 2 * x.rows * outs * x.cols,
    });
  }
}

export interface LinearInputGradientOptions {
  /** Writes to `into`, whatever it holds, instead of adding. */
  readonly overwrite?: boolean;
  /** Default: the faster one for the shape on this adapter. */
  readonly variant?: LinearGradientVariant;
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
  const variant = options.variant ?? choose(gpu, dy.rows, dx.stride4);
  const { lanes, workgroups } = grid(gpu, variant, dy.rows, dx.stride4);
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    gpu.recorder.dispatch(inputKernels[variant], {
      variant: { headers: { weight: weight.dtype }, overrides: { WG: lanes } },
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
      workgroups,
      work: 2 * dy.rows * outs * weight.cols,
    });
  }
  return dx;
}

/** Every pipeline of the linear layer's backward, for building them ahead and for tests that compile all. */
export const linearGradientKernels: readonly KernelVariant[] = linearGradientVariants.flatMap((variant) =>
  (variant === "broadcast" ? Object.values(broadcastLanes) : [WG]).flatMap((lanes) => [
    { kernel: weightKernels[variant], variant: { overrides: { WG: lanes } } },
    ...["f32", "f16", "bf16"].map((weight) => ({
      kernel: inputKernels[variant],
      variant: { headers: { weight }, overrides: { WG: lanes } },
    })),
  ]),
);
