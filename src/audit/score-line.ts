/** @file One result of `score`, by the names and in the order in which it is written. */
import type { BadScoreRecord, ScoreRecord } from "../data/score-record.ts";
import type { SequenceReward } from "./reward-model.ts";

/** Rewards are float32 values, exact as float64. */
export type ScoredLine = ScoredText | ScoredPair | ScoredList | UnscoredLine;

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

/** In the order of the record's replies. */
export interface ScoredList {
  readonly id?: string | number;
  readonly replies: readonly Omit<ScoredText, "id">[];
}

/** In the place of a bad line. */
export interface UnscoredLine {
  readonly id?: string | number;
  /** "file:line: reason" */
  readonly error: string;
}

export function scoredLine(
  { id, pair, list, margin }: Pick<ScoreRecord, "id" | "pair" | "list" | "margin">,
  rewards: readonly SequenceReward[],
): ScoredText | ScoredPair | ScoredList {
  const [first, second] = rewards;
  if (first === undefined) throw new Error("A record has at least one sequence");
  const named = id === undefined ? {} : { id };
  if (list) return { ...named, replies: rewards.map(scoredText) };
  if (!pair || second === undefined) return { ...named, ...scoredText(first) };
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

function scoredText({ reward, ids, perToken }: SequenceReward): Omit<ScoredText, "id"> {
  const details = perToken && { rewards: [...perToken], token_ids: [...ids] };
  return { reward, tokens: ids.length, ...details };
}

export function unscoredLine({ id, where, problem }: BadScoreRecord): UnscoredLine {
  return { ...(id === undefined ? {} : { id }), error: `${where}: ${problem}` };
}
