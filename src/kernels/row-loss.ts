/** @file The losses of single rewards whose replies were found desirable or not, with gradient and metrics. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { rowLoss as kernel, positiveMean } from "./generated/index.ts";
import { expectMetrics, type MetricsRow } from "./metric-columns.ts";
import { expectShape } from "./shapes.ts";

/** Which of wgsl/lib/row_loss.*.wgsl. */
export type RowLossKernel = keyof typeof kernel.headers.row_loss;

export interface RowConstants {
  /** λ_D, the weight of desirable rows. */
  readonly desirable: number;
  /** λ_U, of undesirable ones. */
  readonly undesirable: number;
}

export interface RowLossTargets extends MetricsRow {
  /** [n, 1] f32: 1 for a desirable reply, 0 for an undesirable one. */
  readonly labels: Tensor;
  /** [1, 1] f32: z, the rewards' point of reference; see `mismatchMean`. */
  readonly reference: Tensor;
  /** Rows over which the loss is a mean, where the gradients of several calls add up to one step's. Default: n. */
  readonly total?: number;
}

/**
 * The mean loss of n rows, written to the metrics' row.
 * @param rewards [n, 1] f32
 * @returns d loss / d rewards, [n, 1] f32; the sum over rows is divided by `total`
 */
export function rowLoss(
  gpu: Gpu,
  loss: RowLossKernel,
  rewards: Tensor,
  targets: RowLossTargets,
  { desirable, undesirable }: RowConstants,
): Tensor {
  const { rows } = rewards;
  if (rows === 0) throw new Error(`rowLoss: ${rewards.shape} holds no rows`);
  const { labels, reference, metrics, row, total = rows } = targets;
  expectShape("rowLoss", rewards, rows, 1);
  expectShape("rowLoss labels", labels, rows, 1);
  expectShape("rowLoss reference", reference, 1, 1);
  expectMetrics("rowLoss", targets);
  const gradient = createTensor(gpu, rows, 1, "reward_gradient", { capacity: rewards.capacity });
  gpu.recorder.dispatch(kernel, {
    variant: { headers: { row_loss: loss } },
    bindings: [rewards, labels, reference, gradient, metrics].map((tensor) => bind(gpu, tensor)),
    params: { rows, total, metrics_at: row * metrics.stride, lanes: 64, desirable, undesirable },
    workgroups: 1,
    work: 60 * rows,
  });
  return gradient;
}

/**
 * z = max(0, mean reward of mismatched rows), KTO's point of reference, without a gradient.
 * @param parts [n, 1] f32 each: the rewards, computed in several goes
 * @returns [1, 1] f32
 */
export function mismatchMean(gpu: Gpu, parts: readonly Tensor[]): Tensor {
  const total = parts.reduce((sum, part) => sum + part.rows, 0);
  const z = createTensor(gpu, 1, 1, "mismatch mean");
  let done = 0;
  for (const part of parts) done = addToMean(gpu, z, part, { done, total });
  return z;
}

/**
 * One part of it.
 * @param z [1, 1] f32: written by the first part, added to by the others, finished by the last
 * @param done rows of the parts before @param total of all parts
 * @returns rows that are done now
 */
export function addToMean(
  gpu: Gpu,
  z: Tensor,
  part: Tensor,
  { done, total }: { readonly done: number; readonly total: number },
): number {
  const { rows } = part;
  if (rows === 0 || done + rows > total)
    throw new Error(`addToMean: ${part.shape} after ${done} of ${total} rows`);
  expectShape("addToMean", part, rows, 1);
  expectShape("addToMean z", z, 1, 1);
  gpu.recorder.dispatch(positiveMean, {
    bindings: [bind(gpu, part), bind(gpu, z)],
    params: { rows, first: done === 0 ? 1 : 0, last: done + rows === total ? 1 : 0, total },
    workgroups: 1,
    work: rows,
  });
  return done + rows;
}

export const rowLossKernels: readonly KernelVariant[] = [
  ...Object.keys(kernel.headers.row_loss).map((loss) => ({
    kernel,
    variant: { headers: { row_loss: loss } },
  })),
  { kernel: positiveMean, variant: {} },
];
