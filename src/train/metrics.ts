/** @file metrics.jsonl: one line per logged step or evaluation, with TRL's names (RewardTrainer). */
import { Buffer } from "node:buffer";
import { appendFile } from "node:fs/promises";
import { RmtrainError } from "../errors.ts";
import type { PairMetrics } from "./evaluate.ts";
import type { BatchMetrics } from "./trainer.ts";

export const metricsFile = "metrics.jsonl";

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

/** @returns bytes of the line @throws RmtrainError naming the file that cannot be written */
export async function appendLine(file: string, line: TrainLine | EvalLine): Promise<number> {
  const text = `${JSON.stringify(line)}\n`;
  await appendFile(file, text).catch((error: Error) => {
    throw new RmtrainError(`can't write ${file}: ${error.message}`, { cause: error });
  });
  return Buffer.byteLength(text);
}

/**
 * Metrics of batches put together: means weighted by pairs, so that a smaller last batch counts less; the accuracy by
 * those with a right answer (NaN where there are none).
 */
export function combine(parts: readonly BatchMetrics[]): PairMetrics {
  const weighted = (pick: (m: PairMetrics) => number, weight: (p: BatchMetrics) => number) =>
    parts.reduce((sum, p) => sum + (weight(p) === 0 ? 0 : pick(p.metrics) * weight(p)), 0) /
    parts.reduce((sum, p) => sum + weight(p), 0);
  const mean = (pick: (m: PairMetrics) => number) => weighted(pick, (p) => p.pairs);
  return {
    loss: mean((m) => m.loss),
    accuracy: weighted(
      (m) => m.accuracy,
      (p) => p.decided,
    ),
    margin: mean((m) => m.margin),
    min_reward: parts.reduce((least, p) => Math.min(least, p.metrics.min_reward), Number.POSITIVE_INFINITY),
    mean_reward: mean((m) => m.mean_reward),
    max_reward: parts.reduce((most, p) => Math.max(most, p.metrics.max_reward), Number.NEGATIVE_INFINITY),
  };
}

/**
 * What the reward said of itself, put together the same way; empty where it said nothing. TRL's trainers of policies have
 * the accuracy among these.
 */
export function combineOwn(parts: readonly BatchMetrics[]): Record<string, number> {
  const pairs = parts.reduce((sum, p) => sum + p.pairs, 0);
  const mean = (name: string) => parts.reduce((sum, p) => sum + (p.own?.[name] ?? 0) * p.pairs, 0) / pairs;
  const own = Object.fromEntries(Object.keys(parts[0]?.own ?? {}).map((name) => [name, mean(name)]));
  return "rewards/margins" in own ? { ...own, "rewards/accuracies": combine(parts).accuracy } : own;
}
