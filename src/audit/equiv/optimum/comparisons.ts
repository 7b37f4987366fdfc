/** @file Preferences on a table of prompts x responses: exact probabilities, or counts that were drawn from them. */
import type { Random } from "../../../data/random.ts";
import { RmtrainError } from "../../../errors.ts";

/** One prompt: wins[i][j] is the weight of "i is preferred to j"; the diagonal is 0. */
export type Wins = readonly (readonly number[])[];

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Every pair with its exact Bradley-Terry probability p(i > j) = σ(r_i - r_j). @param rewards r* of one prompt */
export function exactLabels(rewards: readonly number[]): Wins {
  return rewards.map((a, i) => rewards.map((b, j) => (i === j ? 0 : sigmoid(a - b))));
}

/** How often a draw may fail to be strongly connected before that is an error. */
const mostDraws = 100;

/**
 * `count` comparisons of one prompt: a random pair each, and a winner by σ(r_i - r_j). Drawn anew until the graph of
 * wins is strongly connected.
 * @throws RmtrainError where that never happens: separable comparisons have no finite optimum
 */
export function sampledCounts(rewards: readonly number[], count: number, random: Random): Wins {
  for (let draw = 0; draw < mostDraws; draw++) {
    const wins = rewards.map(() => rewards.map(() => 0));
    for (let c = 0; c < count; c++) {
      const i = random.below(rewards.length);
      const j = (i + 1 + random.below(rewards.length - 1)) % rewards.length;
      const first = random.uniform() < sigmoid(rewards[i]! - rewards[j]!);
      wins[first ? i : j]![first ? j : i]! += 1;
    }
    if (isStronglyConnected(wins)) return wins;
  }
  throw new RmtrainError(
    `${mostDraws} draws of ${count} comparisons of ${rewards.length} responses were all separable; draw more`,
  );
}

/**
 * Whether every response reaches every other one along "was preferred to". Else some set of responses never lost to the
 * rest, and raising its rewards without end always lowers the loss (Ford 1957: the condition for a maximum likelihood).
 */
export function isStronglyConnected(wins: Wins): boolean {
  const reaches = (beats: (i: number, j: number) => boolean): boolean => {
    const seen = new Set([0]);
    for (const i of seen) for (const j of wins.keys()) if (beats(i, j)) seen.add(j);
    return seen.size === wins.length;
  };
  return reaches((i, j) => wins[i]![j]! > 0) && reaches((i, j) => wins[j]![i]! > 0);
}
