/** @file The kinds of examples that losses learn from, and how the records of each are read. */
import type { Content, RecordContent } from "./content.ts";
import { type LabelledReply, labelledReplies, pairAsRows } from "./labelled-reply.ts";
import { type PlainText, pairAsText, plainTexts } from "./plain-text.ts";
import { type PreferenceRecord, preferences } from "./preference.ts";
import { pairAsList, type RankedList, rankedLists } from "./ranked-list.ts";
import type { RecordKind } from "./reading.ts";

/** pairs: most losses. rows: KTO. lists: Plackett-Luce, LiPO. texts: a language model's loss. */
export const exampleKinds = ["pairs", "rows", "lists", "texts"] as const;
export type ExampleKind = (typeof exampleKinds)[number];

/** The record of each kind. */
export interface RecordOf<C extends RecordContent = Content> {
  readonly pairs: PreferenceRecord<C>;
  readonly rows: LabelledReply<C>;
  readonly lists: RankedList<C>;
  readonly texts: PlainText<C>;
}

/** What the files of a kind hold: its own records, or pairs. */
export type SourceRecord<K extends ExampleKind, C extends RecordContent = Content> =
  | RecordOf<C>[K]
  | PreferenceRecord<C>;

type Readers = { readonly [K in ExampleKind]: RecordKind<SourceRecord<K, RecordContent>> };
export const recordKinds: Readers = {
  pairs: preferences,
  rows: labelledReplies,
  lists: rankedLists,
  texts: plainTexts,
};

type FromPair = { readonly [K in ExampleKind]: (pair: PreferenceRecord) => readonly RecordOf[K][] };
const fromPair: FromPair = {
  pairs: (pair) => [pair],
  rows: pairAsRows,
  lists: (pair) => [pairAsList(pair)],
  texts: (pair) => [pairAsText(pair)],
};

/** The records of the kind that one record of its files stands for: two rows for a pair, none for a tie. */
export function recordsOf<K extends ExampleKind>(kind: K, record: SourceRecord<K>): readonly RecordOf[K][] {
  return "kind" in record ? [record as RecordOf[K]] : fromPair[kind](record as PreferenceRecord);
}

/** What one example of a kind is called. */
export const nouns: Readonly<Record<ExampleKind, string>> = {
  pairs: "pair",
  rows: "row",
  lists: "list",
  texts: "text",
};
