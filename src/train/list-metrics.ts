/** @file What rewards of ranked lists say, in float64 on the host: as the list kernel's metrics. */
import type { PairMetrics } from "./evaluate.ts";
import { gains } from "./losses/gains.ts";
import type { ListLoss } from "./losses/loss.ts";

/** Pairs of replies whose ranks differ. */
export function orderedPairs(ranks: readonly number[]): (readonly [better: number, worse: number])[] {
  return ranks.flatMap((rank, i) =>
    ranks.flatMap((other, j): [number, number][] => (rank < other ? [[i, j]] : [])),
  );
}

/**
 * Mean loss of the lists; share of their pairs of replies with different ranks whose better one has the larger reward
 * (equal rewards are wrong), and the mean difference of those rewards.
 * @param rewards by list, of its replies @param ranks likewise, 0 is best
 */
export function listMetrics(
  rewards: readonly ArrayLike<number>[],
  ranks: readonly (readonly number[])[],
  loss: ListLoss,
): PairMetrics {
  let [sum, pairs, right, margin] = [0, 0, 0, 0];
  const all = rewards.flatMap((own) => Array.from(own));
  for (const [i, own] of rewards.entries()) {
    sum += loss.at(own, gains(ranks[i]!)).loss;
    for (const [better, worse] of orderedPairs(ranks[i]!)) {
      const difference = own[better]! - own[worse]!;
      pairs++;
      margin += difference;
      if (difference > 0) right++;
    }
  }
  return {
    loss: sum / rewards.length,
    accuracy: right / pairs,
    margin: margin / pairs,
    min_reward: all.reduce((least, r) => Math.min(least, r), Number.POSITIVE_INFINITY),
    mean_reward: all.reduce((total, r) => total + r, 0) / all.length,
    max_reward: all.reduce((most, r) => Math.max(most, r), Number.NEGATIVE_INFINITY),
  };
}
