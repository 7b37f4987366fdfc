/** @file What rewards of single rows say, in float64 on the host: as the row kernel's metrics. */
import type { PairMetrics } from "./evaluate.ts";
import type { LossConstants, RowLoss } from "./losses/loss.ts";

/** A loss of rows with its numbers. */
export interface RowLossOf {
  readonly loss: RowLoss;
  readonly constants: LossConstants;
}

/** max(0, mean) of the mismatched rows' rewards: KTO's z. 0 where there are none. */
export function pointOfReference(mismatched: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < mismatched.length; i++) sum += mismatched[i]!;
  return mismatched.length === 0 ? 0 : Math.max(0, sum / mismatched.length);
}

/**
 * Mean loss; share of rows on the right side of z; mean wanted minus mean unwanted reward (NaN where one side is empty).
 * @param rewards [n] @param wanted [n]
 */
export function rowMetrics(
  rewards: ArrayLike<number>,
  wanted: readonly boolean[],
  z: number,
  { loss, constants }: RowLossOf,
): PairMetrics {
  const n = wanted.length;
  const all = Float64Array.from(rewards);
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const side = (good: boolean) => all.filter((_, i) => wanted[i] === good);
  return {
    loss: mean(all.map((r, i) => loss.at(r, z, wanted[i] ? 1 : 0, constants).loss)),
    accuracy: all.reduce((sum, r, i) => sum + Number(wanted[i] ? r > z : r < z), 0) / n,
    margin: mean(side(true)) - mean(side(false)),
    min_reward: all.reduce((least, r) => Math.min(least, r), Number.POSITIVE_INFINITY),
    mean_reward: mean(all),
    max_reward: all.reduce((most, r) => Math.max(most, r), Number.NEGATIVE_INFINITY),
  };
}
