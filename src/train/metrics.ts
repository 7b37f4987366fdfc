/** @file metrics.jsonl: one line per logged step or evaluation, with TRL's names (RewardTrainer). */
import { appendFile } from "node:fs/promises";
import { RmtrainError } from "../errors.ts";
import type { PairMetrics } from "./evaluate.ts";

/** A line of training metrics: means over the pairs since the last line. */
export interface TrainLine extends PairMetrics {
  readonly step: number;
  readonly epoch: number;
  readonly learning_rate: number;
  readonly grad_norm: number;
  /** Tokens of the pairs that steps have used so far, epochs counted again. */
  readonly num_tokens: number;
}

export type EvalLine = { readonly step: number; readonly epoch: number } & {
  readonly [K in keyof PairMetrics as `eval_${K}`]: number;
};

export function evalLine(step: number, epoch: number, metrics: PairMetrics): EvalLine {
  return {
    step,
    epoch,
    eval_loss: metrics.loss,
    eval_accuracy: metrics.accuracy,
    eval_margin: metrics.margin,
    eval_min_reward: metrics.min_reward,
    eval_mean_reward: metrics.mean_reward,
    eval_max_reward: metrics.max_reward,
  };
}

/** @throws RmtrainError naming the file that cannot be written */
export async function appendLine(file: string, line: TrainLine | EvalLine): Promise<void> {
  await appendFile(file, `${JSON.stringify(line)}\n`).catch((error: Error) => {
    throw new RmtrainError(`can't write ${file}: ${error.message}`, { cause: error });
  });
}

/** Metrics of steps put together: means weighted by pairs, so that a smaller last batch counts less. */
export function combine(
  parts: readonly { readonly pairs: number; readonly metrics: PairMetrics }[],
): PairMetrics {
  const total = parts.reduce((sum, p) => sum + p.pairs, 0);
  const mean = (pick: (m: PairMetrics) => number) =>
    parts.reduce((sum, { pairs, metrics }) => sum + pick(metrics) * pairs, 0) / total;
  return {
    loss: mean((m) => m.loss),
    accuracy: mean((m) => m.accuracy),
    margin: mean((m) => m.margin),
    min_reward: parts.reduce((least, p) => Math.min(least, p.metrics.min_reward), Number.POSITIVE_INFINITY),
    mean_reward: mean((m) => m.mean_reward),
    max_reward: parts.reduce((most, p) => Math.max(most, p.metrics.max_reward), Number.NEGATIVE_INFINITY),
  };
}
