/** @file The losses of ranked lists of rewards, with gradient and metrics. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { listLoss as kernel } from "./generated/index.ts";
import { expectMetrics, type MetricsRow } from "./metric-columns.ts";
import { expectShape } from "./shapes.ts";

/** Which of wgsl/lib/list_loss.*.wgsl. */
export type ListLossKernel = keyof typeof kernel.headers.list_loss;

export interface ListLossTargets extends MetricsRow {
  /** [n, 1] f32: larger is better, equal is a tie; `lipo` also reads how far they lie apart. */
  readonly gains: Tensor;
  /** [L + 1, 1] i32: list i is rows offsets[i] .. offsets[i + 1]; none is empty. */
  readonly offsets: Tensor;
  /** Lists over which the loss is a mean, where the gradients of several calls add up to one step's. Default: L. */
  readonly total?: number;
}

/**
 * The mean loss of L lists, written to the metrics' row.
 * @param rewards [n, 1] f32, list after list
 * @returns d loss / d rewards, [n, 1] f32; the sum over lists is divided by `total`
 */
export function listLoss(gpu: Gpu, loss: ListLossKernel, rewards: Tensor, targets: ListLossTargets): Tensor {
  const { gains, offsets, metrics, row } = targets;
  const lists = offsets.rows - 1;
  if (lists < 1) throw new Error(`listLoss: ${offsets.shape} holds no lists`);
  expectShape("listLoss", rewards, rewards.rows, 1);
  expectShape("listLoss gains", gains, rewards.rows, 1);
  expectShape("listLoss offsets", offsets, lists + 1, 1, "i32");
  expectMetrics("listLoss", targets);
  const gradient = createTensor(gpu, rewards.rows, 1, "reward_gradient", { capacity: rewards.capacity });
  gpu.recorder.dispatch(kernel, {
    variant: { headers: { list_loss: loss } },
    bindings: [rewards, gains, offsets, gradient, metrics].map((tensor) => bind(gpu, tensor)),
    params: { lists, total: targets.total ?? lists, metrics_at: row * metrics.stride, lanes: 64 },
    workgroups: 1,
    work: (200 * rewards.rows ** 2) / lists,
  });
  return gradient;
}

export const listLossKernels: readonly KernelVariant[] = Object.keys(kernel.headers.list_loss).map(
  (loss) => ({
    kernel,
    variant: { headers: { list_loss: loss } },
  }),
);
