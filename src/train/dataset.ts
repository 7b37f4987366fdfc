/** @file Records as training and evaluation examples of token ids, with the counts of what was left out. */

import type { Content, RecordContent } from "../data/content.ts";
import { type ExampleKind, recordKinds, type SourceRecord } from "../data/example-kind.ts";
import { ReadingLog, readAll, refuseAllBad, skipOrThrow } from "../data/reading.ts";
import { sourceName } from "../data/sources/files.ts";
import { splitByPrompt } from "../data/split.ts";
import type { TokeniseOptions } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import type { ChatReader, Rendered } from "../model/chat/chat-reader.ts";
import { exampleSet, type SetByKind } from "./example-sets.ts";
import { defaultEvalSplit, type TrainOptions } from "./options.ts";

export type { Pair, PairSet, TrainingSet } from "./example-sets.ts";

/** Of pairs, unless another kind is named. */
export interface Dataset<K extends ExampleKind = "pairs"> {
  readonly train: SetByKind[K];
  /** Undefined: the run has no evaluation. */
  readonly eval: SetByKind[K] | undefined;
  /** How the two were told apart, in words. */
  readonly splitBy: string;
}

type Source = Pick<TrainOptions, "data" | "evalData" | "evalSplit" | "seed"> &
  Partial<Pick<TrainOptions, "columns" | "skipBadLines">>;

/** Records before they are ids; pairs among them are made rows, lists or texts of when they become ids. */
export interface Records<K extends ExampleKind = "pairs"> {
  readonly kind: K;
  readonly train: readonly SourceRecord<K>[];
  readonly held: readonly SourceRecord<K>[];
  readonly splitBy: string;
}

/**
 * Reads the records, makes text of their conversations, and divides them.
 * @param kind what is to be learnt from; pairs serve for any kind
 * @throws InputError naming file, line and reason
 */
export async function readRecords(
  source: Source,
  chats: ChatReader,
  note?: (text: string) => void,
): Promise<Records>;
export async function readRecords<K extends ExampleKind>(
  source: Source,
  chats: ChatReader,
  note: ((text: string) => void) | undefined,
  kind: K,
): Promise<Records<K>>;
export async function readRecords(
  source: Source,
  chats: ChatReader,
  note: (text: string) => void = () => {},
  kind: ExampleKind = "pairs",
): Promise<Records<ExampleKind>> {
  const { data, evalData, evalSplit, seed } = source;
  const records = await read(kind, data, source, chats, note);
  if (evalData !== undefined) {
    const held = await read(kind, evalData, source, chats, note);
    return { kind, train: records, held, splitBy: sourceName(evalData) };
  }
  if (evalSplit === undefined && hasSplitField(records)) {
    const held = records.filter((r) => r.extra.split === "eval");
    return {
      kind,
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
    kind,
    train: pick(split.train),
    held: pick(split.eval),
    splitBy: `${share} of the prompts, drawn with seed ${seed}`,
  };
}

/** A record of any kind, before or after its conversation is text. */
type AnyRecord<C extends RecordContent = Content> = SourceRecord<ExampleKind, C>;

async function read(
  kind: ExampleKind,
  paths: string | readonly string[],
  { columns, skipBadLines }: Source,
  chats: ChatReader,
  note: (text: string) => void,
): Promise<AnyRecord[]> {
  const log = new ReadingLog();
  const records = await readAll<AnyRecord<RecordContent>>(paths, recordKinds[kind], {
    columns,
    skipBadLines,
    log,
  });
  const rendered: readonly Rendered<AnyRecord<RecordContent>>[] = skipBadLines
    ? await renderEach(records, chats, log)
    : await chats.render(records);
  for (const line of log.lines()) note(line);
  if (rendered.length === 0) refuseAllBad(paths, log);
  return rendered as AnyRecord[];
}

/** Records that are rendered together: a refused one costs rendering the others of its group again. */
const group = 64;

/** A conversation that the template refuses takes no other with it. */
async function renderEach<R extends AnyRecord<RecordContent>>(
  records: readonly R[],
  chats: ChatReader,
  log: ReadingLog,
): Promise<Rendered<R>[]> {
  const rendered: Rendered<R>[] = [];
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
function hasSplitField(records: readonly AnyRecord[]): boolean {
  const values = new Set(records.map((r) => r.extra.split));
  return values.size === 2 && values.has("train") && values.has("eval");
}

/**
 * Pairs as ids; for callers that need nothing of them in between.
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
export function tokeniseRecords<K extends ExampleKind>(
  { kind, train, held, splitBy }: Records<K>,
  options: TokeniseOptions,
  { skipBadLines = false }: Pick<Source, "skipBadLines"> = {},
  note: (text: string) => void = () => {},
): Dataset<K> {
  const log = skipBadLines ? new ReadingLog() : undefined;
  const dataset = {
    train: exampleSet(kind, train, options, log),
    eval: held.length === 0 ? undefined : exampleSet(kind, held, options, log),
    splitBy,
  };
  for (const line of log?.lines() ?? []) note(line);
  return dataset;
}
