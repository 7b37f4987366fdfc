/**
 * @file The linear layer's products in the tensor-core class: one kernel (wgsl/linear_subgroup_matrix.wgsl) for x W^T, dy W
 * and dy^T x, so that nothing but the weight's shape, its dtype and the adapter decides what runs. docs/precision.md.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant, Variant } from "../gpu/kernel-source.ts";
import { matrixShape, matrixShapes } from "../gpu/precision.ts";
import type { Binding } from "../gpu/recorder.ts";
import { bind, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { linearSubgroupMatrix as kernel } from "./generated/index.ts";
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

/** How a pipeline holds its tiles: what a device's workgroup memory decides. */
interface Tiling {
  readonly units: string;
  readonly shape: string;
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

const sizesOf = (shape: string) => shape.split("x").map(Number) as [number, number, number];

/** Bytes of workgroup memory that two padded tiles of halves and the finished matrices take. */
function storageOf(shape: string, { DEPTH, PAD, BUFFERS }: (typeof roomy)[number]): number {
  const [M, N] = sizesOf(shape);
  const tile = (lines: number) => Math.max(lines * (DEPTH + PAD), DEPTH * (lines + PAD));
  return 2 * BUFFERS * (tile(teams * M) + tile(teams * N)) + 4 * teams * M * N;
}

const tilings = new WeakMap<Gpu, Tiling>();

/** Of the adapter and the class alone. */
function tilingOf(gpu: Gpu): Tiling {
  const known = tilings.get(gpu);
  if (known !== undefined) return known;
  const { matrices, limits, subgroupMax } = gpu.facts;
  const shape = matrixShape(matrices);
  if (shape === undefined) throw new Error("No matrix units fit the class f16 on this device");
  const room = roomy.find((tiling) => storageOf(shape, tiling) <= limits.workgroupStorage) ?? roomy[2];
  const tiling = { units: "matrix", shape, WG: teams * subgroupMax, ...room };
  tilings.set(gpu, tiling);
  return tiling;
}

const variantOf = (product: Product, weight: string, { units, shape, ...overrides }: Tiling): Variant => ({
  headers: { units, shape, weight },
  overrides: { ...overrides, ...layouts[product] },
});

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

function record(gpu: Gpu, product: Product, call: Call): void {
  const tiling = tilingOf(gpu);
  const [M, N] = sizesOf(tiling.shape);
  const { left, right, out, rows, cols, depth } = call;
  gpu.recorder.dispatch(kernel, {
    variant: variantOf(product, right.dtype, tiling),
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
): void {
  // Without a bias its binding still needs a buffer; the kernel does not read it.
  const [extra, outBinding] = [bind(gpu, bias ?? x), bind(gpu, y)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    record(gpu, "forward", {
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
): Tensor {
  using _scope = gpu.scope();
  const [extra, outBinding] = [bind(gpu, gradientMaxima(gpu, dy)), bind(gpu, dx)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, weight, 4)) {
    record(gpu, "input", {
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
): void {
  using _scope = gpu.scope();
  const [extra, rightBinding] = [bind(gpu, gradientMaxima(gpu, dy)), bind(gpu, x)];
  for (const { first, rows: outs, binding } of rowWindows(gpu, into, 4)) {
    record(gpu, "weight", {
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

const dtypesOf = { forward: ["f32", "f16", "bf16"], input: ["f32", "f16", "bf16"], weight: ["f32"] } as const;
const products = Object.keys(layouts) as Product[];
const pipelines = (tiling: Tiling): KernelVariant[] =>
  products.flatMap((product) =>
    dtypesOf[product].map((weight) => ({ kernel, variant: variantOf(product, weight, tiling) })),
  );

/** Every pipeline of the class, for units of each shape, as large as the default limits let them be. */
export const matrixClassKernels: readonly KernelVariant[] = [
  ...matrixShapes.flatMap((shape) => pipelines({ units: "matrix", shape, WG: 256, ...roomy[2] })),
];

/** Whether the device is opened for the units that the pipeline needs, or it needs none. */
export function canBuildMatrixClass(gpu: Gpu, { variant }: KernelVariant): boolean {
  if (variant.headers?.units === undefined) return true;
  return gpu.precision === "f16" && variant.headers.shape === matrixShape(gpu.facts.matrices);
}
