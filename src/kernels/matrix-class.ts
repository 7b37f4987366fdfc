/**
 * @file The linear layer's products in the tensor-core class: one kernel (wgsl/linear_subgroup_matrix.wgsl) for x W^T, dy W
 * and dy^T x, so that nothing but the weight's shape, its dtype and the adapter decides what runs. docs/precision.md.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource, KernelVariant, Variant } from "../gpu/kernel-source.ts";
import { type MatrixShape, matrixShape, matrixShapes } from "../gpu/precision.ts";
import type { Binding } from "../gpu/recorder.ts";
import { bind, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { linearSubgroupMatrix } from "./generated/index.ts";
import { gradientMaxima } from "./gradient-scale.ts";
import { ceilDiv } from "./shapes.ts";

/** Weights with fewer outputs or inputs stay in f32: a reward head, updates of low rank. Most of a matrix would be empty. */
const fewest = 8;
/** Subgroups of a workgroup that compute. */
const teams = 8;

/** Whether the products with this weight are of the tensor-core class: a function of the class and the weight's shape. */
export function inMatrixClass(gpu: Gpu, { rows, cols }: Pick<Tensor, "rows" | "cols">): boolean {
  return gpu.facts.precision !== "f32" && rows >= fewest && cols >= fewest;
}

/** Which terms lie side by side in the factors' buffers. */
const layouts = {
  forward: { LEFT_BY_DEPTH: 0, RIGHT_BY_DEPTH: 0 },
  input: { LEFT_BY_DEPTH: 0, RIGHT_BY_DEPTH: 1 },
  weight: { LEFT_BY_DEPTH: 1, RIGHT_BY_DEPTH: 1 },
} as const;
type Product = keyof typeof layouts;
/** Of the right factor: a weight as stored, or an activation. */
const dtypesOf = { forward: ["f32", "f16", "bf16"], input: ["f32", "f16", "bf16"], weight: ["f32"] } as const;

/** How a workgroup holds its tiles: what a device's workgroup memory decides. */
export interface Tiling {
  /** Invocations. */
  readonly WG: number;
  readonly DEPTH: number;
  readonly PAD: number;
  readonly BUFFERS: number;
}

/** In order of speed; the last runs at WebGPU's default limits. */
const roomy = [
  { DEPTH: 32, PAD: 8, BUFFERS: 2 },
  { DEPTH: 32, PAD: 8, BUFFERS: 1 },
  { DEPTH: 16, PAD: 0, BUFFERS: 1 },
] as const;

/** Bytes of workgroup memory that two padded tiles of halves and the finished matrices take. */
function storageOf([M, N]: Sizes, { DEPTH, PAD, BUFFERS }: Omit<Tiling, "WG">): number {
  const tile = (lines: number) => Math.max(lines * (DEPTH + PAD), DEPTH * (lines + PAD));
  return 2 * BUFFERS * (tile(teams * M) + tile(teams * N)) + 4 * teams * M * N;
}

type Sizes = readonly [M: number, N: number, K: number];
type Kernel = Omit<typeof linearSubgroupMatrix, "headers"> & Pick<KernelSource, "headers">;
type Variants = Readonly<Record<Product, ReadonlyMap<string, Variant>>>;

/** What multiplies on a device: the kernel, with variants by product and by the right factor's dtype. */
export interface MatrixUnits {
  readonly kernel: Kernel;
  readonly sizes: Sizes;
  readonly variants: Variants;
}

/** @param units which choice of the kernel's header `units`; tests have one of their own */
export function matrixUnits(
  shape: MatrixShape,
  tiling: Tiling,
  kernel: Kernel = linearSubgroupMatrix,
  units = "matrix",
): MatrixUnits {
  const variants = (product: Product) =>
    new Map(
      dtypesOf[product].map((weight): [string, Variant] => [
        weight,
        { headers: { units, shape, weight }, overrides: { ...tiling, ...layouts[product] } },
      ]),
    );
  return {
    kernel,
    sizes: shape.split("x").map(Number) as unknown as Sizes,
    variants: { forward: variants("forward"), input: variants("input"), weight: variants("weight") },
  };
}

const known = new WeakMap<Gpu, MatrixUnits>();

/** Of the adapter alone. */
function unitsOf(gpu: Gpu): MatrixUnits {
  const found = known.get(gpu);
  if (found !== undefined) return found;
  const { matrices, limits, subgroupMax } = gpu.facts;
  const shape = matrixShape(matrices);
  if (shape === undefined) throw new Error("No matrix units fit the class f16 on this device");
  const sizes = matrixUnits(shape, { WG: 0, ...roomy[0] }).sizes;
  const room = roomy.find((tiling) => storageOf(sizes, tiling) <= limits.workgroupStorage) ?? roomy[2];
  const units = matrixUnits(shape, { WG: teams * subgroupMax, ...room });
  known.set(gpu, units);
  return units;
}

interface Call {
  readonly left: Tensor;
  readonly right: Tensor;
  /** The whole of `right`, or one of its windows. */
  readonly rightBinding: Binding;
  readonly extra: Binding;
  readonly out: Tensor;
  readonly outBinding: Binding;
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  readonly leftFirst?: number;
  readonly outFirst?: number;
  readonly hasBias?: boolean;
  readonly scaled?: boolean;
  readonly accumulate: boolean;
}

function record(gpu: Gpu, { kernel, sizes, variants }: MatrixUnits, product: Product, call: Call): void {
  const [M, N] = sizes;
  const { left, right, out, rows, cols, depth } = call;
  const variant = variants[product].get(right.dtype);
  if (variant === undefined) throw new Error(`${right.shape} is no factor of the tensor-core class`);
  gpu.recorder.dispatch(kernel, {
    variant,
    bindings: [bind(gpu, left), call.rightBinding, call.extra, call.outBinding],
    params: {
      rows,
      cols,
      depth,
      left_stride4: left.stride4,
      left_first4: (call.leftFirst ?? 0) / 4,
      right_stride4: right.stride4,
      out_stride4: out.stride4,
      out_first4: (call.outFirst ?? 0) / 4,
      has_bias: call.hasBias ? 1 : 0,
      scaled: call.scaled ? 1 : 0,
      accumulate: call.accumulate ? 1 : 0,
    },
    workgroups: ceilDiv(rows, teams * M) * ceilDiv(cols, teams * N),
    work: 2 * rows * cols * depth,
  });
}

/** y = (accumulate ? y : 0) + (x W^T + bias); shapes as in `linear`, which has checked them. */
export function matrixLinear(
  gpu: Gpu,
  x: Tensor,
  weight: Tensor,
  y: Tensor,
  { bias, accumulate }: { readonly bias?: Tensor | undefined; readonly accumulate: boolean },
  units = unitsOf(gpu),
): void {
  // Without a bias its binding still needs a buffer; the kernel does not read it.
  const [extra, outBinding] = [bind(gpu, bias ?? x), bind(gpu, y)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    record(gpu, units, "forward", {
      left: x,
      right: weight,
      rightBinding: binding,
      extra,
      out: y,
      outBinding,
      rows: x.rows,
      cols: outs,
      depth: x.cols,
      outFirst: first,
      hasBias: bias !== undefined,
      accumulate,
    });
  }
}

/** dx = (accumulate ? dx : 0) + dy W; shapes as in `linearInputGradient`, which has checked them. */
export function matrixInputGradient(
  gpu: Gpu,
  dy: Tensor,
  weight: Tensor,
  dx: Tensor,
  accumulate: boolean,
  units = unitsOf(gpu),
): Tensor {
  using _scope = gpu.scope();
  const [extra, outBinding] = [bind(gpu, gradientMaxima(gpu, dy)), bind(gpu, dx)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    record(gpu, units, "input", {
      left: dy,
      right: weight,
      rightBinding: binding,
      extra,
      out: dx,
      outBinding,
      rows: dy.rows,
      cols: weight.cols,
      depth: outs,
      leftFirst: first,
      scaled: true,
      accumulate: accumulate || first > 0,
    });
  }
  return dx;
}

/** into = (accumulate ? into : 0) + dy^T x; shapes as in `linearWeightGradient`, which has checked them. */
export function matrixWeightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  into: Tensor,
  accumulate: boolean,
  units = unitsOf(gpu),
): void {
  using _scope = gpu.scope();
  const [extra, rightBinding] = [bind(gpu, gradientMaxima(gpu, dy)), bind(gpu, x)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, into, 4)) {
    record(gpu, units, "weight", {
      left: dy,
      right: x,
      rightBinding,
      extra,
      out: into,
      outBinding: binding,
      rows: outs,
      cols: x.cols,
      depth: x.rows,
      leftFirst: first,
      scaled: true,
      accumulate,
    });
  }
}

/** Every pipeline of the class, for units of each shape, as large as the default limits let them be. */
export const matrixClassKernels: readonly KernelVariant[] = matrixShapes.flatMap((shape) => {
  const { kernel, variants } = matrixUnits(shape, { WG: 256, ...roomy[2] });
  return Object.values(variants).flatMap((byDtype) =>
    [...byDtype.values()].map((variant) => ({ kernel, variant })),
  );
});

/** Whether the device is opened for the units that the pipeline needs, or it needs none. */
export function canBuildMatrixClass(gpu: Gpu, { variant }: KernelVariant): boolean {
  if (variant.headers?.units === undefined) return true;
  return gpu.precision === "f16" && variant.headers.shape === matrixShape(gpu.facts.matrices);
}
