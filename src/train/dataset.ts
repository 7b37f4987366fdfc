/** @file Preference records as training and evaluation pairs of token ids, with the counts of what was left out. */

import type { RecordContent } from "../data/content.ts";
import { type PreferenceRecord, readPreferences } from "../data/preference.ts";
import { ReadingLog, refuseAllBad, skipOrThrow } from "../data/reading.ts";
import { sourceName } from "../data/sources/files.ts";
import { splitByPrompt } from "../data/split.ts";
import type { TokenisedContent, TokeniseOptions } from "../data/tokenise.ts";
import { type LeftOut, type TokeniseCounts, tokeniseAll } from "../data/tokenise-all.ts";
import { InputError } from "../errors.ts";
import type { ChatReader } from "../model/chat/chat-reader.ts";
import { defaultEvalSplit, type TrainOptions } from "./options.ts";

export interface Pair {
  readonly record: PreferenceRecord;
  /** Sequences [chosen, rejected]. */
  readonly item: TokenisedContent;
  readonly margin: number;
  /** Probability that the chosen reply is the better one, rounded to the f32 that the device reads. */
  readonly label: number;
}

export interface PairSet {
  readonly pairs: readonly Pair[];
  /** Pairs that were read but are not used. */
  readonly leftOut: readonly LeftOut[];
  readonly counts: TokeniseCounts;
}

export interface Dataset {
  readonly train: PairSet;
  /** Undefined: the run has no evaluation. */
  readonly eval: PairSet | undefined;
  /** How the two were told apart, in words. */
  readonly splitBy: string;
}

type Source = Pick<TrainOptions, "data" | "evalData" | "evalSplit" | "seed"> &
  Partial<Pick<TrainOptions, "columns" | "skipBadLines">>;

/** Records before they are ids. */
export interface Records {
  readonly train: readonly PreferenceRecord[];
  readonly held: readonly PreferenceRecord[];
  readonly splitBy: string;
}

/**
 * Reads the records, makes text of their conversations, and divides them.
 * @throws InputError naming file, line and reason
 */
export async function readRecords(
  source: Source,
  chats: ChatReader,
  note: (text: string) => void = () => {},
): Promise<Records> {
  const { data, evalData, evalSplit, seed } = source;
  const records = await read(data, source, chats, note);
  if (evalData !== undefined) {
    const held = await read(evalData, source, chats, note);
    return { train: records, held, splitBy: sourceName(evalData) };
  }
  if (evalSplit === undefined && hasSplitField(records)) {
    const held = records.filter((r) => r.extra.split === "eval");
    return {
      train: records.filter((r) => r.extra.split === "train"),
      held,
      splitBy: 'the records\' field "split"',
    };
  }
  const share = evalSplit ?? defaultEvalSplit;
  const split = splitByPrompt(
    records.map((r) => r.content),
    share,
    seed,
  );
  const pick = (indices: readonly number[]) => indices.flatMap((i) => records[i] ?? []);
  return {
    train: pick(split.train),
    held: pick(split.eval),
    splitBy: `${share} of the prompts, drawn with seed ${seed}`,
  };
}

async function read(
  paths: string | readonly string[],
  { columns, skipBadLines }: Source,
  chats: ChatReader,
  note: (text: string) => void,
): Promise<PreferenceRecord[]> {
  const log = new ReadingLog();
  const records = await readPreferences(paths, { columns, skipBadLines, log });
  const rendered = skipBadLines ? await renderEach(records, chats, log) : await chats.render(records);
  for (const line of log.lines()) note(line);
  if (rendered.length === 0) refuseAllBad(paths, log);
  return rendered;
}

/** Records that are rendered together: a refused one costs rendering the others of its group again. */
const group = 64;

/** A conversation that the template refuses takes no other with it. */
async function renderEach(
  records: readonly PreferenceRecord<RecordContent>[],
  chats: ChatReader,
  log: ReadingLog,
): Promise<PreferenceRecord[]> {
  const rendered: PreferenceRecord[] = [];
  for (let begin = 0; begin < records.length; begin += group) {
    const some = records.slice(begin, begin + group);
    for (const [i, result] of (await chats.renderEach(some)).entries()) {
      if (result instanceof InputError) skipOrThrow(result, some[i]!.where, log);
      else rendered.push(result);
    }
  }
  return rendered;
}

/** Records that all say "train" or "eval", both occurring, come with their own split. */
function hasSplitField(records: readonly PreferenceRecord[]): boolean {
  const values = new Set(records.map((r) => r.extra.split));
  return values.size === 2 && values.has("train") && values.has("eval");
}

/**
 * Records as ids; for callers that need nothing of them in between.
 * @throws InputError naming file, line and reason
 */
export async function loadDataset(
  source: Source,
  chats: ChatReader,
  tokenise: TokeniseOptions,
  note: (text: string) => void = () => {},
): Promise<Dataset> {
  return tokeniseRecords(await readRecords(source, chats, note), tokenise, source, note);
}

/** @throws InputError naming the record that can't be made ids of, unless bad ones are skipped */
export function tokeniseRecords(
  { train, held, splitBy }: Records,
  options: TokeniseOptions,
  { skipBadLines = false }: Pick<Source, "skipBadLines"> = {},
  note: (text: string) => void = () => {},
): Dataset {
  const log = skipBadLines ? new ReadingLog() : undefined;
  const dataset = {
    train: pairSet(train, options, log),
    eval: held.length === 0 ? undefined : pairSet(held, options, log),
    splitBy,
  };
  for (const line of log?.lines() ?? []) note(line);
  return dataset;
}

function pairSet(
  records: readonly PreferenceRecord[],
  options: TokeniseOptions,
  log: ReadingLog | undefined,
): PairSet {
  const { kept, leftOut, counts } = tokeniseAll(records, options, log);
  const pairs = kept.flatMap(({ index, item }): Pair[] => {
    const record = records[index];
    if (record === undefined) return [];
    return [{ record, item, margin: record.margin ?? 0, label: Math.fround(record.label ?? 1) }];
  });
  return { pairs, leftOut, counts };
}
