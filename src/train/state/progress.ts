/** @file How far a run has come: all that the rest of it depends on, beside the weights and their moments. */
import type { PairMetrics } from "../evaluate.ts";
import type { StepMetrics, Weights } from "../trainer.ts";

/** What evaluations are compared by. */
export type Score = Pick<PairMetrics, "accuracy" | "loss">;

export interface Best extends Score {
  readonly step: number;
  readonly weights: Weights;
}

export interface Progress {
  readonly step: number;
  /** Tokens of the pairs that steps have used, epochs counted again. */
  readonly tokens: number;
  /** Undefined before the first evaluation. */
  readonly best: Best | undefined;
  /** Evaluations in a row, up to now, that were no better than the best. */
  readonly stale: number;
  /** Steps since the last line of metrics. */
  readonly pending: readonly StepMetrics[];
}

export const beginning: Progress = { step: 0, tokens: 0, best: undefined, stale: 0, pending: [] };

/** By accuracy, then by loss; equals stay behind the earlier one. An accuracy of NaN (no pair has a right answer) is the least. */
export function isBetter(score: Score, best: Score | undefined): boolean {
  if (best === undefined) return true;
  const rank = ({ accuracy }: Score) => (Number.isNaN(accuracy) ? -1 : accuracy);
  const gain = rank(score) - rank(best);
  return gain > 0 || (gain === 0 && score.loss < best.loss);
}
