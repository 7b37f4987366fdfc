/**
 * @file The trainer's loss and DPO's on the device in float32, pair by pair. Both begin with the same float32 rewards;
 * DPO gets them inside log-probabilities of some hundred nats, which is where float32 loses digits.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { dpoPairs } from "../../kernels/dpo.ts";
import { linearWeightGradient } from "../../kernels/linear-gradient.ts";
import { metricColumns } from "../../kernels/metric-columns.ts";
import { createTensor, readTensor, type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import type { DifferenceObjective } from "../../train/objectives.ts";
import type { FourLogProbs } from "./dpo-paper.ts";

/** One pair as both sides are given it. */
export interface DevicePair {
  /** r(x, y_w), r(x, y_l) */
  readonly rewards: readonly [number, number];
  /** h(x, y_w), h(x, y_l), [H] each */
  readonly features: readonly [ArrayLike<number>, ArrayLike<number>];
  readonly four: FourLogProbs;
  /** ∇_w log π(y_w|x), ∇_w log π(y_l|x), [H] each */
  readonly scores: readonly [ArrayLike<number>, ArrayLike<number>];
}

export interface DeviceLosses {
  /** [n] Of each pair. */
  readonly losses: Float32Array;
  /** [H] Of the mean loss in the head. */
  readonly gradient: Float32Array;
}

/** float32 rewards w . h of sequences, computed as a training step does. @param features [n, H] */
export function deviceRewards(
  gpu: Gpu,
  { reward }: DifferenceObjective,
  features: Float32Array,
  head: Float32Array,
): Promise<Float32Array> {
  using _scope = gpu.scope();
  const x = uploadTensor(gpu, features, head.length, "features");
  return readTensor(gpu, reward.forward(gpu, x, uploadTensor(gpu, head, head.length, "head")));
}

/** The trainer's own loss, reward and backward. */
export async function trainerOnDevice(
  gpu: Gpu,
  { reward, loss }: DifferenceObjective,
  pairs: readonly DevicePair[],
): Promise<DeviceLosses> {
  using _scope = gpu.scope();
  const metrics = createTensor(gpu, pairs.length + 1, metricColumns.count, "metrics");
  const record = (some: readonly DevicePair[], row: number): Tensor => {
    const rewards = sides(some.map((p) => p.rewards));
    return loss.record(gpu, uploadTensor(gpu, Float32Array.from(rewards), 1, "rewards"), {
      margins: uploadTensor(gpu, new Float32Array(some.length), 1, "margins"),
      labels: uploadTensor(gpu, new Float32Array(some.length).fill(1), 1, "labels"),
      centering: 0,
      metrics,
      row,
    });
  };
  // The kernel gives a step's mean loss: a step for each pair, then one of all for the gradient.
  for (const [i, pair] of pairs.entries()) record([pair], i);
  const rewardGradient = record(pairs, pairs.length);
  const features = uploadRows(gpu, sides(pairs.map((p) => p.features)), "features");
  const gradient = createTensor(gpu, 1, features.cols, "head gradient");
  reward.backward(gpu, rewardGradient, features, gradient);
  const rows = await readTensor(gpu, metrics);
  const losses = Float32Array.from(pairs, (_, i) => rows[i * metricColumns.count + metricColumns.loss]!);
  return { losses, gradient: await readTensor(gpu, gradient) };
}

/** DPO from the paper; `margins` are its differences of implicit rewards. */
export async function dpoOnDevice(
  gpu: Gpu,
  pairs: readonly DevicePair[],
  beta: number,
): Promise<DeviceLosses & { readonly margins: Float32Array }> {
  using _scope = gpu.scope();
  const logProbs = pairs.flatMap(({ four }) => [
    four.policyChosen,
    four.policyRejected,
    four.referenceChosen,
    four.referenceRejected,
  ]);
  const y = await readTensor(
    gpu,
    dpoPairs(gpu, uploadTensor(gpu, Float32Array.from(logProbs), 4, "log probs"), beta),
  );
  const column = (c: number) => Float32Array.from(pairs, (_, i) => y[4 * i + c]!);
  const slopes = Float32Array.of(...column(1), ...column(2)).map((slope) => slope / pairs.length);
  const scores = uploadRows(gpu, sides(pairs.map((p) => p.scores)), "scores");
  const gradient = createTensor(gpu, 1, scores.cols, "head gradient");
  linearWeightGradient(gpu, uploadTensor(gpu, slopes, 1, "slopes"), scores, gradient);
  return { losses: column(0), margins: column(3), gradient: await readTensor(gpu, gradient) };
}

/** All chosen, then all rejected. */
function sides<T>(pairs: readonly (readonly [T, T])[]): T[] {
  return [0, 1].flatMap((side) => pairs.map((pair) => pair[side]!));
}

function uploadRows(gpu: Gpu, rows: readonly ArrayLike<number>[], label: string): Tensor {
  const cols = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * cols);
  for (const [r, row] of rows.entries()) data.set(row, r * cols);
  return uploadTensor(gpu, data, cols, label);
}
