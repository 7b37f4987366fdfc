/** @file Single replies that are wanted or unwanted: the records of KTO. A pair may be read as two of them. */
import type { Content, RecordContent } from "./content.ts";
import { preferredSide } from "./label.ts";
import { LABELLED, readWanted } from "./layouts/labelled.ts";
import { asFields, extraFields, readContent } from "./layouts/layout.ts";
import { isPair, PAIRS } from "./layouts/pairs.ts";
import { type PreferenceRecord, recognisePreference } from "./preference.ts";
import type { RecordKind } from "./reading.ts";

/** One reply to a prompt: `content.replies` is [reply]. */
export interface LabelledReply<C extends RecordContent = Content> {
  readonly kind: "row";
  /** "file:line", for messages; both rows of a pair have the pair's. */
  readonly where: string;
  readonly content: C;
  readonly wanted: boolean;
  /** Every other field of the record, kept as it was. */
  readonly extra: Readonly<Record<string, unknown>>;
}

function parse(value: unknown, where: string) {
  const fields = asFields(value, where);
  if (isPair(fields)) {
    const { record, layout } = recognisePreference(fields, where);
    return { record, layout: `${layout}, each read as two rows` };
  }
  const { layout, content } = readContent(fields, LABELLED, where);
  const record: LabelledReply<RecordContent> = {
    kind: "row",
    where,
    content,
    wanted: readWanted(fields, where),
    extra: extraFields(fields, LABELLED, new Set(layout.fields)),
  };
  return { record, layout: layout.name };
}

/** Rows, and pairs that are to be read as rows. */
export const labelledReplies: RecordKind<LabelledReply<RecordContent> | PreferenceRecord<RecordContent>> = {
  parse,
  fields: new Set([...LABELLED.fields, ...PAIRS.fields, "margin", "label", "id", "split"]),
};

/**
 * The preferred reply as a wanted row and the other one as an unwanted row; none for a tie (label 0.5). A label between
 * 0 and 1 has no other place in a row, nor has a margin: they stay among the other fields.
 */
export function pairAsRows({ where, content, label, margin, extra }: PreferenceRecord): LabelledReply[] {
  const side = preferredSide(label ?? 1);
  if (side === 0) return [];
  const kept = {
    ...extra,
    ...(label === undefined ? {} : { label }),
    ...(margin === undefined ? {} : { margin }),
  };
  return [0, 1].map((reply) => ({
    kind: "row",
    where,
    content: oneReply(content, reply),
    wanted: (reply === 0) === side > 0,
    extra: kept,
  }));
}

/** The same prompt with one of its replies. */
export function oneReply(content: Content, reply: number): Content {
  if (content.kind === "ids") return { ...content, replies: content.replies.slice(reply, reply + 1) };
  const { chat } = content;
  return {
    ...content,
    replies: content.replies.slice(reply, reply + 1),
    ...(chat === undefined ? {} : { chat: { ...chat, replies: chat.replies.slice(reply, reply + 1) } }),
  };
}
