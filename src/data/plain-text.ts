/** @file What a language model learns from: plain texts, replies to prompts, the preferred replies of pairs. */
import type { Content, RecordContent } from "./content.ts";
import { preferredSide } from "./label.ts";
import { oneReply } from "./labelled-reply.ts";
import { readWanted } from "./layouts/labelled.ts";
import { asFields, extraFields, has, readContent } from "./layouts/layout.ts";
import { isPair, PAIRS } from "./layouts/pairs.ts";
import { TEXTS } from "./layouts/singles.ts";
import { type PreferenceRecord, recognisePreference } from "./preference.ts";
import type { RecordKind } from "./reading.ts";

/** One text: `content.replies` is [text]; tokens of a prompt are read, but not learnt. */
export interface PlainText<C extends RecordContent = Content> {
  readonly kind: "text";
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: C;
  /** False for a row that its label calls unwanted: it is left out. */
  readonly wanted: boolean;
  /** Every other field of the record, kept as it was. */
  readonly extra: Readonly<Record<string, unknown>>;
}

function parse(value: unknown, where: string) {
  const fields = asFields(value, where);
  if (isPair(fields)) {
    const { record, layout } = recognisePreference(fields, where);
    return { record, layout: `${layout}, of which the preferred reply is read` };
  }
  const { layout, content } = readContent(fields, TEXTS, where);
  const isLabelled = has(fields, "completion") && typeof fields.label === "boolean";
  const record: PlainText<RecordContent> = {
    kind: "text",
    where,
    content,
    wanted: !isLabelled || readWanted(fields, where),
    extra: extraFields(fields, TEXTS, new Set(layout.fields)),
  };
  return { record, layout: layout.name };
}

/** Texts, and pairs of which the preferred reply is to be read. Files of plain text (.txt) are texts too. */
export const plainTexts: RecordKind<PlainText<RecordContent> | PreferenceRecord<RecordContent>> = {
  parse,
  fields: new Set([...TEXTS.fields, ...PAIRS.fields, "margin", "label", "id", "split"]),
  plainText: true,
};

/** The preferred reply; of a tie the one that stands first. */
export function pairAsText({ where, content, label, extra }: PreferenceRecord): PlainText {
  const reply = preferredSide(label ?? 1) < 0 ? 1 : 0;
  return { kind: "text", where, content: oneReply(content, reply), wanted: true, extra };
}
