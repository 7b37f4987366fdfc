/** @file The steps of a run: how many, of which records, and what happens after which. A function of the options and the data alone. */
import { epochOrder } from "../data/split.ts";
import type { TrainOptions } from "./options.ts";

export interface Plan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly warmupSteps: number;
  /** Steps between two evaluations; one more comes after the last step. */
  readonly evalEvery: number;
  /** Steps between two saved training states; one more comes after the last step. */
  readonly saveEvery: number;
}

type PlanOptions = Pick<
  TrainOptions,
  | "epochs"
  | "maxSteps"
  | "batchSize"
  | "gradientAccumulationSteps"
  | "warmupRatio"
  | "warmupSteps"
  | "evalSteps"
  | "saveEvery"
>;

/** Pairs of a step, but for an epoch's last one. */
const stepPairs = (options: Pick<TrainOptions, "batchSize" | "gradientAccumulationSteps">) =>
  options.batchSize * options.gradientAccumulationSteps;

/** An epoch's last step may have fewer pairs. The warm-up rounds up, as transformers' does. */
export function planSteps(pairs: number, options: PlanOptions): Plan {
  const stepsPerEpoch = Math.ceil(pairs / stepPairs(options));
  const totalSteps = options.maxSteps ?? Math.ceil(stepsPerEpoch * options.epochs);
  const warmupSteps = options.warmupSteps ?? Math.ceil(totalSteps * options.warmupRatio);
  const evalEvery = options.evalSteps ?? stepsPerEpoch;
  const saveEvery = options.saveEvery ?? stepsPerEpoch;
  return { stepsPerEpoch, totalSteps, warmupSteps, evalEvery, saveEvery };
}

/**
 * Options of the same steps without room that no step uses: buffers are sized by the pairs of a step and by the steps
 * between two readings of the metrics.
 */
export function fitToPairs(pairs: number, options: TrainOptions): TrainOptions {
  const { totalSteps } = planSteps(pairs, options);
  const batchSize = Math.min(options.batchSize, pairs);
  const gradientAccumulationSteps = Math.min(options.gradientAccumulationSteps, Math.ceil(pairs / batchSize));
  const logEvery = Math.min(options.logEvery, Math.max(1, totalSteps));
  return { ...options, batchSize, gradientAccumulationSteps, logEvery };
}

/**
 * Which pairs each step sees, as indices, from the step after `done` on; each epoch visits each pair once. The order
 * depends on (seed, epoch) alone, so that there is no generator whose state a resumed run would need.
 */
export function* batches(
  pairs: number,
  plan: Plan,
  options: Pick<TrainOptions, "batchSize" | "gradientAccumulationSteps" | "seed" | "shuffle">,
  done = 0,
): Generator<Int32Array> {
  const size = stepPairs(options);
  let order: Int32Array | undefined;
  for (let step = done; step < plan.totalSteps; step++) {
    const inEpoch = step % plan.stepsPerEpoch;
    if (order === undefined || inEpoch === 0) order = orderOf(pairs, step / plan.stepsPerEpoch, options);
    yield order.subarray(inEpoch * size, (inEpoch + 1) * size);
  }
}

function orderOf(
  pairs: number,
  epochs: number,
  { seed, shuffle }: Pick<TrainOptions, "seed" | "shuffle">,
): Int32Array {
  if (!shuffle) return Int32Array.from({ length: pairs }, (_, i) => i);
  return epochOrder(pairs, seed, Math.floor(epochs));
}

/** A step's pairs as the batches that the device computes one after another; their gradients add up. */
export function microBatches(indices: Int32Array, batchSize: number): Int32Array[] {
  const cut: Int32Array[] = [];
  for (let at = 0; at < indices.length; at += batchSize) cut.push(indices.subarray(at, at + batchSize));
  return cut;
}
