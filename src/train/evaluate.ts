/** @file What a set of pairs' rewards says: TRL's metrics, in float64 on the host, with interval and breakdown. */
import {
  type Accuracy,
  type LengthBaselines,
  lengthBaselines,
  pairAccuracy,
} from "../data/null-baselines.ts";
import type { Pair } from "./dataset.ts";

/** Rewards of pairs, [n] each. */
export interface PairRewards {
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** TRL's names (RewardTrainer). Means are over pairs; min, mean and max run over both sides. */
export interface PairMetrics {
  readonly loss: number;
  /** Share with r_w > r_l, strictly: ties are wrong. */
  readonly accuracy: number;
  /** mean(r_w - r_l) */
  readonly margin: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
}

/** -log sigmoid(z), stable at any z. */
export function softplusNegative(z: number): number {
  return Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/**
 * Loss -log sigmoid(r_w - r_l - m) + c (r_w + r_l)^2, averaged, and TRL's metrics.
 * @param margins [n] the records' own
 * @param centering c
 */
export function pairMetrics(
  { chosen, rejected }: PairRewards,
  margins: ArrayLike<number>,
  centering: number,
): PairMetrics {
  const n = chosen.length;
  let loss = 0;
  let correct = 0;
  let margin = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const w = chosen[i]!;
    const l = rejected[i]!;
    loss += softplusNegative(w - l - (margins[i] ?? 0)) + centering * (w + l) ** 2;
    if (w > l) correct++;
    margin += w - l;
    sum += w + l;
    min = Math.min(min, w, l);
    max = Math.max(max, w, l);
  }
  return {
    loss: loss / n,
    accuracy: correct / n,
    margin: margin / n,
    min_reward: min,
    mean_reward: sum / (2 * n),
    max_reward: max,
  };
}

export interface GroupAccuracy extends Accuracy {
  readonly group: string;
}

export interface Evaluation {
  readonly metrics: PairMetrics;
  readonly accuracy: Accuracy;
  readonly baselines: LengthBaselines;
  /** By the value of one of the records' fields; empty where no record has it. */
  readonly groups: readonly GroupAccuracy[];
}

export function evaluate(
  pairs: readonly Pair[],
  rewards: PairRewards,
  centering: number,
  groupBy: string,
): Evaluation {
  const margins = pairs.map((p) => p.margin);
  return {
    metrics: pairMetrics(rewards, margins, centering),
    accuracy: pairAccuracy(rewards.chosen, rewards.rejected),
    baselines: lengthBaselines(pairs.map((p) => p.record.content)),
    groups: byGroup(pairs, rewards, groupBy),
  };
}

function byGroup(pairs: readonly Pair[], rewards: PairRewards, field: string): GroupAccuracy[] {
  const members = new Map<string, number[]>();
  pairs.forEach((pair, i) => {
    const value = pair.record.extra[field];
    if (value === undefined || value === null) return;
    const key = typeof value === "string" ? value : JSON.stringify(value);
    const group = members.get(key);
    if (group === undefined) members.set(key, [i]);
    else group.push(i);
  });
  return [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, indices]) => {
      const pick = (side: Float32Array) => indices.map((i) => side[i] ?? Number.NaN);
      return { group, ...pairAccuracy(pick(rewards.chosen), pick(rewards.rejected)) };
    });
}
