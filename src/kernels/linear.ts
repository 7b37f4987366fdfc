/**
 * @file The linear layer y = x W^T + b with weights as stored. All variants give equal bits (the order of every sum is
 * the same: wgsl/lib/linear.wgsl), so which one runs is only a matter of speed.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import type { Binding } from "../gpu/recorder.ts";
import { bind, createTensor, type RowWindow, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { linearBroadcast, linearRows, linearShared, linearTile } from "./generated/index.ts";
import { inMatrixClass, matrixLinear } from "./matrix-class.ts";
import {
  broadcastLayout,
  broadcastLayouts,
  canFill,
  type ProductLayout,
  pipelinesOf,
  prefersShared,
  rowLayout,
  sharedLayout,
  tileLayout,
} from "./products.ts";
import { roundedFactor, roundedWeight } from "./rounded-factors.ts";
import { ceilDiv, expectShape } from "./shapes.ts";
import { chooseVariant, fewInputRows, hasSubgroups, type OperationVariants } from "./variants.ts";

/**
 * rows: 1 x 4 outputs per invocation. tile: 4 x 4. broadcast: 8 to 32 x 4 with x shared by a subgroup. shared: 8 x 8
 * with both factors in workgroup memory, for GPUs.
 */
export type LinearVariant = "rows" | "tile" | "broadcast" | "shared";

export const linearVariants: readonly LinearVariant[] = ["tile", "rows", "broadcast", "shared"];

/** The variant that every adapter can run, with which the others are compared. */
export const linearBaseline: LinearVariant = "tile";

export const linearOperation: OperationVariants<LinearVariant> = {
  operation: "linear",
  variants: linearVariants,
  equalBits: true,
  canRun,
};

export interface LinearOptions {
  /** [1, N] f32 */
  readonly bias?: Tensor | undefined;
  /** Adds to this activation [T, N] instead of creating one. */
  readonly into?: Tensor;
  /** Writes to this activation [T, N], whatever it holds, instead of creating one. */
  readonly out?: Tensor;
  /** Always in f32. Default: the fastest for the shape on this adapter, or what its precision class says. */
  readonly variant?: LinearVariant;
}

const kernels = {
  rows: linearRows,
  tile: linearTile,
  broadcast: linearBroadcast,
  shared: linearShared,
} as const;
/** Up to so many outputs, most of the lanes that share rows of x would compute nothing. */
const fewOutputs = 8;

export function canRun(gpu: Gpu, variant: LinearVariant): boolean {
  return variant !== "broadcast" || hasSubgroups(gpu);
}

/** The variant that runs for so many rows. It may follow T only because all variants give equal bits. */
function chooseLinear(gpu: Gpu, rows: number, weight: Tensor): LinearVariant {
  const filled = canFill(gpu, rows) && weight.rows > fewOutputs && canRun(gpu, "broadcast");
  const tiles = prefersShared(gpu, rows, weight.rows) ? "shared" : "tile";
  const byDefault = rows === 1 ? "rows" : tiles === "tile" && filled ? "broadcast" : tiles;
  return chooseVariant(gpu, linearOperation, byDefault, weight, rows <= fewInputRows);
}

/**
 * y = (into ?? 0) + (x W^T + bias)
 * @param x [T, K] f32
 * @param weight [N, K] f32, f16 or bf16; larger than a binding is fine
 * @returns [T, N] f32
 */
export function linear(gpu: Gpu, x: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
  const { bias, into } = options;
  expectShape("linear x", x, x.rows, weight.cols);
  if (bias !== undefined) expectShape("linear bias", bias, 1, weight.rows);
  const y =
    into ??
    options.out ??
    createTensor(gpu, x.rows, weight.rows, `${weight.label} out`, { capacity: x.capacity });
  expectShape("linear y", y, x.rows, weight.rows);
  if (options.variant === undefined && inMatrixClass(gpu, weight))
    return ofMatrixClass(gpu, x, weight, y, options);
  const variant = options.variant ?? chooseLinear(gpu, x.rows, weight);
  // Without a bias its binding still needs a buffer; the kernel does not read it.
  const bindings = { x: bind(gpu, x), bias: bind(gpu, bias ?? x), y: bind(gpu, y) };
  for (const window of rowWindows(gpu, weight, 4)) {
    record(gpu, variant, {
      x,
      weight,
      y,
      window,
      bindings,
      hasBias: bias !== undefined,
      accumulate: into !== undefined,
    });
  }
  return y;
}

/** Matrix units, or rounded factors in f32. */
function ofMatrixClass(gpu: Gpu, x: Tensor, weight: Tensor, y: Tensor, options: LinearOptions): Tensor {
  if (gpu.precision === "f16") {
    matrixLinear(gpu, x, weight, y, { bias: options.bias, accumulate: options.into !== undefined });
    return y;
  }
  using _scope = gpu.scope();
  const variant = chooseLinear(gpu, x.rows, weight);
  return linear(gpu, roundedFactor(gpu, x), roundedWeight(gpu, weight), { ...options, out: y, variant });
}

interface WindowedLinear {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly y: Tensor;
  readonly window: RowWindow;
  readonly bindings: { readonly x: Binding; readonly bias: Binding; readonly y: Binding };
  readonly hasBias: boolean;
  readonly accumulate: boolean;
}

/** One window's outputs: columns `first` .. `first + rows` of y. */
function record(gpu: Gpu, variant: LinearVariant, call: WindowedLinear): void {
  const { x, weight, y, window, bindings } = call;
  const layout = layoutOf(gpu, variant, x.rows);
  gpu.recorder.dispatch(kernels[variant], {
    variant: layout.pipelines[weight.dtype],
    bindings: [bindings.x, window.binding, bindings.bias, bindings.y],
    params: {
      rows: x.rows,
      outs: window.rows,
      k4: ceilDiv(x.cols, 4),
      x_stride4: x.stride4,
      w_stride4: weight.stride4,
      y_stride4: y.stride4,
      first4: window.first / 4,
      has_bias: call.hasBias ? 1 : 0,
      accumulate: call.accumulate ? 1 : 0,
    },
    workgroups: layout.workgroups(x.rows, ceilDiv(window.rows, 4)),
    work: 2 * x.rows * window.rows * x.cols,
  });
}

function layoutOf(gpu: Gpu, variant: LinearVariant, rows: number): ProductLayout {
  if (variant === "broadcast") return broadcastLayout(gpu, rows);
  return { rows: rowLayout, tile: tileLayout, shared: sharedLayout }[variant];
}

/** Every pipeline of `linear`, for building them ahead and for tests that compile all. */
export const linearKernels: readonly KernelVariant[] = [
  ...pipelinesOf(kernels.rows, [rowLayout]),
  ...pipelinesOf(kernels.tile, [tileLayout]),
  ...pipelinesOf(kernels.broadcast, broadcastLayouts),
  ...pipelinesOf(kernels.shared, [sharedLayout]),
];
