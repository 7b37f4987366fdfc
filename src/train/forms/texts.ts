/** @file Plain texts: one sequence each, whose every token but the first is to be likely. */
import type { PairMetrics } from "../evaluate.ts";
import type { TextExample } from "../example-sets.ts";
import type { TextLoss } from "../losses/loss.ts";
import type { ExampleForm } from "./form.ts";

export function textForm(loss: TextLoss): ExampleForm<TextExample> {
  return {
    order: (texts) => Int32Array.from(texts, (_, n) => n),
    total: tokensOf,
    record: (gpu, rewards, texts, { total, metrics, row, capacity }) =>
      loss.record(gpu, rewards, { tokens: texts.map(tokensIn), total, metrics, row, capacity }),
    counts: (texts) => ({ pairs: tokensOf(texts), decided: 0 }),
    metrics: (texts, rewards) => metricsOf(tokensOf(texts), rewards),
    sides: () => undefined,
  };
}

/** Tokens that have a log-probability. */
const tokensIn = ({ item, replyStarts }: TextExample): number =>
  item.sequences.reduce((sum, ids, n) => sum + ids.length - (replyStarts[n] ?? 1), 0);

const tokensOf = (texts: readonly TextExample[]): number => texts.reduce((sum, t) => sum + tokensIn(t), 0);

/** Only the loss means something: nats per token. */
function metricsOf(tokens: number, rewards: readonly Float32Array[]): PairMetrics {
  const sum = rewards.reduce((all, own) => all + (own[0] ?? Number.NaN), 0);
  const loss = -sum / Math.max(tokens, 1);
  return { loss, accuracy: Number.NaN, margin: 0, min_reward: 0, mean_reward: 0, max_reward: 0 };
}
