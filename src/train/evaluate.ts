/** @file What a set of pairs' rewards says: TRL's metrics, in float64 on the host, with interval and breakdown. */

import { preferredSide } from "../data/label.ts";
import {
  type Accuracy,
  type LengthBaselines,
  lengthBaselines,
  pairAccuracy,
} from "../data/null-baselines.ts";
import type { Pair } from "./dataset.ts";
import { membersBy } from "./groups.ts";
import { logistic } from "./losses/logistic.ts";
import { defaultConstants, type LossConstants, type PairLoss } from "./losses/loss.ts";

/** Rewards of pairs, [n] each. */
export interface PairRewards {
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** A pair's targets in the loss. */
export type PairTargets = Pick<Pair, "margin" | "label">;

/** TRL's names (RewardTrainer). Means are over pairs; min, mean and max run over both sides. */
export interface PairMetrics {
  readonly loss: number;
  /**
   * Share of the pairs with a right answer (label not 0.5) whose preferred reply has the larger reward, strictly: ties
   * are wrong. NaN where no pair has one.
   */
  readonly accuracy: number;
  /** mean(r_w - r_l) */
  readonly margin: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
}

/** What a loss of pairs is told beside rewards and targets. */
export interface PairLossOf {
  readonly loss: PairLoss;
  readonly constants: LossConstants;
  /** Added to each pair's own margin. */
  readonly margin: number;
}

/** Bradley-Terry's. */
export const plainObjective: PairLossOf = { loss: logistic, constants: defaultConstants, margin: 0 };

/**
 * The objective's loss + c (r_w + r_l)^2, averaged, and TRL's metrics.
 * @param targets [n] margins m and labels p
 * @param centering c
 */
export function pairMetrics(
  { chosen, rejected }: PairRewards,
  targets: readonly PairTargets[],
  centering: number,
  { loss: lossOf, constants, margin: ahead }: PairLossOf = plainObjective,
): PairMetrics {
  const n = chosen.length;
  let loss = 0;
  let correct = 0;
  let decided = 0;
  let margin = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const w = chosen[i]!;
    const l = rejected[i]!;
    const { margin: m, label: p } = targets[i]!;
    loss += lossOf.at(w, l, { margin: m + ahead, label: p }, constants).loss + centering * (w + l) ** 2;
    const side = preferredSide(p);
    if (side !== 0) decided++;
    if (side * (w - l) > 0) correct++;
    margin += w - l;
    sum += w + l;
    min = Math.min(min, w, l);
    max = Math.max(max, w, l);
  }
  return {
    loss: loss / n,
    accuracy: correct / decided,
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
  objective: PairLossOf = plainObjective,
): Evaluation {
  const labels = pairs.map((p) => p.label);
  return {
    metrics: pairMetrics(rewards, pairs, centering, objective),
    accuracy: pairAccuracy(rewards.chosen, rewards.rejected, labels),
    baselines: lengthBaselines(
      pairs.map((p) => p.record.content),
      labels,
    ),
    groups: byGroup(pairs, rewards, groupBy),
  };
}

function byGroup(pairs: readonly Pair[], rewards: PairRewards, field: string): GroupAccuracy[] {
  const labels = pairs.map((p) => p.label);
  return groupAccuracies(membersBy(pairs, field) ?? new Map(), rewards, labels);
}

/**
 * Accuracy of each group of pairs.
 * @param members indices of the pairs by group
 * @param labels [n] of the pairs; absent: 1
 */
export function groupAccuracies(
  members: ReadonlyMap<string, readonly number[]>,
  rewards: PairRewards,
  labels: ArrayLike<number> = [],
): GroupAccuracy[] {
  return [...members].map(([group, indices]) => {
    const pick = (side: ArrayLike<number>, otherwise: number) => indices.map((i) => side[i] ?? otherwise);
    const [chosen, rejected] = [pick(rewards.chosen, Number.NaN), pick(rewards.rejected, Number.NaN)];
    return { group, ...pairAccuracy(chosen, rejected, pick(labels, 1)) };
  });
}
