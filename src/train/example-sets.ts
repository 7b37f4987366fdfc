/** @file Examples as ids: what a loss of each kind learns from, and the sets of them that a run trains on or holds out. */
import { type ExampleKind, type RecordOf, recordsOf, type SourceRecord } from "../data/example-kind.ts";
import type { LabelledReply } from "../data/labelled-reply.ts";
import type { PlainText } from "../data/plain-text.ts";
import type { PreferenceRecord } from "../data/preference.ts";
import { type OrderedList, type RankedList, rankedOnly } from "../data/ranked-list.ts";
import { orSkipped, type ReadingLog } from "../data/reading.ts";
import { textPieces } from "../data/text-pieces.ts";
import type { TokenisedContent, TokeniseOptions } from "../data/tokenise.ts";
import { type LeftOut, type TokeniseCounts, tokeniseAll, type WhyNothing } from "../data/tokenise-all.ts";

/** What every example has. */
interface ExampleOfRecord<R> {
  readonly record: R;
  /** Its sequences, one per reply. */
  readonly item: TokenisedContent;
  /** Per sequence, the index of the reply's first token: at least 1, and the sequence's length where none is left. */
  readonly replyStarts: readonly number[];
}

/** Sequences [chosen, rejected]. */
export interface Pair extends ExampleOfRecord<PreferenceRecord> {
  readonly margin: number;
  /** Probability that the chosen reply is the better one, rounded to the f32 that the device reads. */
  readonly label: number;
}

/** One sequence, wanted or not: KTO's. */
export interface LabelledRow extends ExampleOfRecord<LabelledReply> {
  readonly wanted: boolean;
}

/** k >= 2 sequences in the record's order. */
export interface ListExample extends ExampleOfRecord<RankedList> {
  /** [k] whole numbers from 0 (best) without gaps; equally good replies share one, and not all do. */
  readonly ranks: readonly number[];
  /** [k] where the record gives them; larger is better. */
  readonly scores?: readonly number[];
}

/** One sequence of a text, or of a piece of it. */
export type TextExample = ExampleOfRecord<PlainText>;

export interface ExampleOf {
  readonly pairs: Pair;
  readonly rows: LabelledRow;
  readonly lists: ListExample;
  readonly texts: TextExample;
}
export type Example = ExampleOf[ExampleKind];

export interface SetOf<K extends ExampleKind> {
  readonly kind: K;
  readonly examples: readonly ExampleOf[K][];
  /** Examples that were read but are not used. */
  readonly leftOut: readonly LeftOut[];
  readonly counts: TokeniseCounts;
}

export interface PairSet extends SetOf<"pairs"> {
  /** The examples. */
  readonly pairs: readonly Pair[];
}

/** The set of each kind. */
export interface SetByKind {
  readonly pairs: PairSet;
  readonly rows: SetOf<"rows">;
  readonly lists: SetOf<"lists">;
  readonly texts: SetOf<"texts">;
}
export type TrainingSet = SetByKind[ExampleKind];

/** The pairs of a set; none of sets of another kind, and of none. */
export function pairsOf(set: TrainingSet | undefined): readonly Pair[] {
  return set?.kind === "pairs" ? set.pairs : [];
}

/** Pairs as a set. */
export function pairSet(pairs: readonly Pair[], rest: Pick<PairSet, "leftOut" | "counts">): PairSet {
  return { kind: "pairs", examples: pairs, pairs, ...rest };
}

/**
 * The examples of records, and what became of the others.
 * @param log where given, records that can't be made ids of are told to it and not counted
 * @throws InputError naming the record that can't be made ids of, without a log
 */
export function exampleSet<K extends ExampleKind>(
  kind: K,
  sources: readonly SourceRecord<K>[],
  options: TokeniseOptions,
  log?: ReadingLog,
): SetByKind[K] {
  return builders[kind](sources, { ...options, measurePrompts: true }, log);
}

type Builders = {
  readonly [K in ExampleKind]: (
    sources: readonly SourceRecord<K>[],
    options: TokeniseOptions,
    log: ReadingLog | undefined,
  ) => SetByKind[K];
};

const builders: Builders = {
  pairs(records, options, log) {
    const { examples, ...rest } = tokenised(records, options, log);
    const pairs = examples.map((example): Pair => {
      const { margin = 0, label = 1 } = example.record;
      return { ...example, margin, label: Math.fround(label) };
    });
    return pairSet(pairs, rest);
  },
  rows(sources, options, log) {
    const { records, nothing } = usable("rows", sources, "tied", (record) => record);
    const { examples, ...rest } = told(tokenised(records, options, log), nothing);
    return { kind: "rows", examples: examples.map((e) => ({ ...e, wanted: e.record.wanted })), ...rest };
  },
  lists(sources, options, log) {
    const ranked = usable("lists", sources, "unranked", rankedOnly);
    const isTied = ({ ranks }: OrderedList) => ranks.every((rank) => rank === ranks[0]);
    const tied = ranked.records.filter(isTied).map(({ where }) => nothingIn(where, "tied"));
    const decided = ranked.records.filter((record) => !isTied(record));
    const { examples, ...rest } = told(tokenised(decided, options, log), [...ranked.nothing, ...tied]);
    const lists = examples.map((example): ListExample => {
      const { ranks, scores } = example.record;
      return { ...example, ranks, ...(scores === undefined ? {} : { scores }) };
    });
    return { kind: "lists", examples: lists, ...rest };
  },
  texts(sources, options, log) {
    const { records, nothing } = usable("texts", sources, "unwanted", (r) => (r.wanted ? r : undefined));
    const pieces = records.flatMap(
      (record) => orSkipped(() => textPieces(record, options), record.where, log) ?? [],
    );
    return { kind: "texts", ...told(tokenised(pieces, options, log), nothing) };
  },
};

const nothingIn = (where: string, why: WhyNothing): LeftOut => ({ where, why, lengths: [] });

/** The records that `use` makes something of, and the sources that say nothing. */
function usable<K extends ExampleKind, R>(
  kind: K,
  sources: readonly SourceRecord<K>[],
  why: WhyNothing,
  use: (record: RecordOf[K]) => R | undefined,
): { readonly records: R[]; readonly nothing: LeftOut[] } {
  const nothing: LeftOut[] = [];
  const records = sources.flatMap((source): R[] => {
    const own = recordsOf(kind, source).flatMap((record) => use(record) ?? []);
    if (own.length === 0) nothing.push(nothingIn(source.where, why));
    return own;
  });
  return { records, nothing };
}

interface Tokenised<R> extends Pick<SetOf<"pairs">, "leftOut" | "counts"> {
  readonly examples: readonly ExampleOfRecord<R>[];
}

function tokenised<R extends Parameters<typeof tokeniseAll>[0][number]>(
  records: readonly R[],
  options: TokeniseOptions,
  log: ReadingLog | undefined,
): Tokenised<R> {
  const { kept, leftOut, counts } = tokeniseAll(records, options, log);
  const examples = kept.flatMap(({ index, item }): ExampleOfRecord<R>[] => {
    const record = records[index];
    return record === undefined ? [] : [{ record, item, replyStarts: item.replyStarts ?? [] }];
  });
  return { examples, leftOut, counts };
}

/** With the records that say nothing among those left out. */
function told<R>({ examples, leftOut, counts }: Tokenised<R>, nothing: readonly LeftOut[]): Tokenised<R> {
  return {
    examples,
    leftOut: [...nothing, ...leftOut],
    counts: { ...counts, records: counts.records + nothing.length, undecided: nothing.length },
  };
}
