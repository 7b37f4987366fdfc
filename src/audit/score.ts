/** @file Scoring a stream of records in windows of lines: every line gives one result, in the same order. */
import type { ScoreRecord } from "../data/score-record.ts";
import { InputError } from "../errors.ts";
import type { RewardModel, SequenceReward } from "./reward-model.ts";
import type { ScoreReport } from "./score-report.ts";

export interface ScoreStreamOptions {
  /** Adds the reward of every prefix, and the ids. */
  readonly perToken?: boolean | undefined;
  /** Cuts sequences longer than `maxLength`; without it none is cut. */
  readonly truncate?: "left" | "right" | undefined;
  /** Tokens; default: the model's positions. Goes with `truncate` only, since no line is ever dropped. */
  readonly maxLength?: number | undefined;
  readonly batchTokens?: number | undefined;
  /** Lines that are read, and written, together. Default 512. */
  readonly window?: number | undefined;
}

/** One result, by the names and in the order in which it is written. Rewards are float32 values, exact as float64. */
export type ScoredLine = ScoredText | ScoredPair;

export interface ScoredText {
  readonly id?: string | number;
  readonly reward: number;
  readonly tokens: number;
  readonly rewards?: readonly number[];
  readonly token_ids?: readonly number[];
}

export interface ScoredPair {
  readonly id?: string | number;
  readonly reward_chosen: number;
  readonly reward_rejected: number;
  readonly margin: number;
  /** The record's own margin. */
  readonly margin_label?: number;
  readonly rewards_chosen?: readonly number[];
  readonly token_ids_chosen?: readonly number[];
  readonly rewards_rejected?: readonly number[];
  readonly token_ids_rejected?: readonly number[];
}

/**
 * Rewards of records as they come, a window of lines at a time.
 * @throws InputError naming the line that cannot be scored; windows before it have been yielded
 */
export async function* scoreStream(
  model: RewardModel,
  records: AsyncIterable<ScoreRecord>,
  report: ScoreReport,
  options: ScoreStreamOptions = {},
): AsyncGenerator<ScoredLine[]> {
  const limit = truncation(model, options);
  for await (const window of windows(records, options.window ?? 512)) {
    const items = window.map((record) => model.tokenise(record.content, record.where, limit));
    const rewards = await model.scoreItems(items, {
      ...(options.batchTokens === undefined ? {} : { batchTokens: options.batchTokens }),
      perToken: options.perToken ?? false,
    });
    yield window.map((record, i) => {
      const scored = rewards[i] ?? [];
      report.add(record, items[i]?.truncated ?? [], scored);
      return scoredLine(record, scored);
    });
  }
}

/** @throws InputError for a limit that the model cannot take */
function truncation({ config }: RewardModel, { truncate, maxLength }: ScoreStreamOptions) {
  if (truncate === undefined) {
    if (maxLength === undefined) return {};
    throw new InputError("--max-length needs --truncate left or right: score never drops a line");
  }
  if (config.learnedPositions && maxLength !== undefined && maxLength > config.maxPositions) {
    throw new InputError(
      `--max-length ${maxLength}: the model has learned positions for ${config.maxPositions} tokens`,
    );
  }
  return { maxLength: maxLength ?? config.maxPositions, overlong: truncate };
}

async function* windows<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let window: T[] = [];
  for await (const item of items) {
    window.push(item);
    if (window.length < size) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

function scoredLine(
  { id, pair, margin }: ScoreRecord,
  [first, second]: readonly SequenceReward[],
): ScoredLine {
  if (first === undefined) throw new Error("A record has at least one sequence");
  const named = id === undefined ? {} : { id };
  if (!pair || second === undefined) {
    const { reward, ids, perToken } = first;
    const details = perToken && { rewards: [...perToken], token_ids: [...ids] };
    return { ...named, reward, tokens: ids.length, ...details };
  }
  return {
    ...named,
    reward_chosen: first.reward,
    reward_rejected: second.reward,
    margin: first.reward - second.reward,
    ...(margin === undefined ? {} : { margin_label: margin }),
    ...(first.perToken && { rewards_chosen: [...first.perToken], token_ids_chosen: [...first.ids] }),
    ...(second.perToken && { rewards_rejected: [...second.perToken], token_ids_rejected: [...second.ids] }),
  };
}
