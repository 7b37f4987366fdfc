/** @file Ranked lists: several replies to one prompt and their order. A pair is a list of two. */
import type { Content, RecordContent } from "./content.ts";
import { preferredSide } from "./label.ts";
import { asFields, extraFields, readContent } from "./layouts/layout.ts";
import { LISTS, readOrder } from "./layouts/lists.ts";
import { isPair, PAIRS } from "./layouts/pairs.ts";
import { type PreferenceRecord, recognisePreference } from "./preference.ts";
import type { RecordKind } from "./reading.ts";

/** A prompt and its k >= 2 replies. */
export interface RankedList<C extends RecordContent = Content> {
  readonly kind: "list";
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: C;
  /**
   * Per reply: 0 is best, equally good replies share a number, null has no place in the order. Undefined: the record
   * says null, it has no order.
   */
  readonly ranks: readonly (number | null)[] | undefined;
  /** Per reply, larger is better, where the record gives scores. */
  readonly scores?: readonly (number | null)[];
  /** Every other field of the record, kept as it was. */
  readonly extra: Readonly<Record<string, unknown>>;
}

function parse(value: unknown, where: string) {
  const fields = asFields(value, where);
  if (isPair(fields)) {
    const { record, layout } = recognisePreference(fields, where);
    return { record, layout: `${layout}, each read as a list of two` };
  }
  const { layout, content } = readContent(fields, LISTS, where);
  const order = readOrder(fields, content.replies.length, where);
  const record: RankedList<RecordContent> = {
    kind: "list",
    where,
    content,
    ranks: order?.ranks,
    ...(order?.scores === undefined ? {} : { scores: order.scores }),
    extra: extraFields(fields, LISTS, new Set(layout.fields)),
  };
  return { record, layout: layout.name };
}

/** Lists, and pairs that are to be read as lists of two. */
export const rankedLists: RecordKind<RankedList<RecordContent> | PreferenceRecord<RecordContent>> = {
  parse,
  fields: new Set([...LISTS.fields, ...PAIRS.fields, "margin", "label", "id", "split"]),
};

/** A list of two, the preferred reply's rank 0 and the other one's 1; a tie (label 0.5) is a list without an order. */
export function pairAsList({ where, content, label, margin, extra }: PreferenceRecord): RankedList {
  const side = preferredSide(label ?? 1);
  const kept = {
    ...extra,
    ...(label === undefined ? {} : { label }),
    ...(margin === undefined ? {} : { margin }),
  };
  const ranks = side === 0 ? [0, 0] : side > 0 ? [0, 1] : [1, 0];
  return { kind: "list", where, content, ranks, extra: kept };
}

/** A list of at least two replies in which every reply has its place. */
export interface OrderedList extends RankedList {
  /** Whole numbers from 0 (best) without gaps; equally good replies share one. */
  readonly ranks: readonly number[];
  readonly scores?: readonly number[];
}

/** The replies that have a place in the order; undefined where fewer than two have one. */
export function rankedOnly({ ranks = [], scores, ...rest }: RankedList): OrderedList | undefined {
  const kept = ranks.flatMap((rank, i) => (rank === null ? [] : [i]));
  if (kept.length < 2) return undefined;
  const pick = <T>(values: readonly T[]) => kept.flatMap((i) => values.slice(i, i + 1));
  const given = numbers(pick(ranks));
  const places = [...new Set(given)].sort((a, b) => a - b);
  return {
    ...rest,
    content: pickReplies(rest.content, pick),
    ranks: given.map((rank) => places.indexOf(rank)),
    ...(scores === undefined ? {} : { scores: numbers(pick(scores)) }),
  };
}

const numbers = (values: readonly (number | null)[]) => values.filter((value) => value !== null);

function pickReplies(content: Content, pick: <T>(values: readonly T[]) => T[]): Content {
  if (content.kind === "ids") return { ...content, replies: pick(content.replies) };
  const { chat } = content;
  return {
    ...content,
    replies: pick(content.replies),
    ...(chat === undefined ? {} : { chat: { ...chat, replies: pick(chat.replies) } }),
  };
}
