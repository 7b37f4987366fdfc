/** @file The steps of a run: how many, of which records, at which rate. A function of the options and the data alone. */
import { epochOrder } from "../data/split.ts";
import type { TrainOptions } from "./options.ts";

export interface Plan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly warmupSteps: number;
}

type PlanOptions = Pick<TrainOptions, "epochs" | "maxSteps" | "batchSize" | "warmupRatio" | "warmupSteps">;

/** A smaller last batch is a step of its own. The warm-up rounds up, as transformers' does. */
export function planSteps(pairs: number, options: PlanOptions): Plan {
  const stepsPerEpoch = Math.ceil(pairs / options.batchSize);
  const totalSteps = options.maxSteps ?? Math.ceil(stepsPerEpoch * options.epochs);
  const warmupSteps = options.warmupSteps ?? Math.ceil(totalSteps * options.warmupRatio);
  return { stepsPerEpoch, totalSteps, warmupSteps };
}

/**
 * Options of the same steps without room that no step uses: buffers are sized by the pairs of a step and by the steps
 * between two readings of the metrics.
 */
export function fitToPairs(pairs: number, options: TrainOptions): TrainOptions {
  const { totalSteps } = planSteps(pairs, options);
  const batchSize = Math.min(options.batchSize, pairs);
  return { ...options, batchSize, logEvery: Math.min(options.logEvery, Math.max(1, totalSteps)) };
}

/** Which pairs a step sees, as indices; each epoch visits each pair once. */
export function* batches(
  pairs: number,
  plan: Plan,
  options: Pick<TrainOptions, "batchSize" | "seed" | "shuffle">,
): Generator<Int32Array> {
  for (let step = 0, epoch = 0; step < plan.totalSteps; epoch++) {
    const order = options.shuffle
      ? epochOrder(pairs, options.seed, epoch)
      : Int32Array.from({ length: pairs }, (_, i) => i);
    for (let at = 0; at < pairs && step < plan.totalSteps; at += options.batchSize, step++) {
      yield order.subarray(at, at + options.batchSize);
    }
  }
}
