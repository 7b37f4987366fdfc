/** @file The lines that `score` reads: one text, one reply to a prompt, a pair or a list; strings, token ids or messages. */
import { z } from "zod";
import type { Content, RecordContent } from "./content.ts";
import { asFields, readContent } from "./layouts/layout.ts";
import { LISTS } from "./layouts/lists.ts";
import { SCORABLE } from "./layouts/singles.ts";
import { check, id, label, margin } from "./layouts/values.ts";
import { type BadRow, type ReadOptions, type RecordKind, readRecords } from "./reading.ts";

/** One line to score; `content.replies` holds one reply, [chosen, rejected] where `pair` is true, or a list of them. */
export interface ScoreRecord<C extends RecordContent = Content> {
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: C;
  readonly pair: boolean;
  /** Whether the line is a list of replies, with or without an order. */
  readonly list?: true;
  readonly id?: string | number;
  /** A pair's own margin, which the output repeats as `margin_label`. */
  readonly margin?: number;
  /** A pair's probability that chosen is the better reply, which says what the right answer is; absent: 1. */
  readonly label?: number;
}

const common = z.object({ id: id.nullish() });
const pairFields = z.object({ margin: margin.nullish(), label: label.nullish() });

/**
 * One record in any of the layouts of `layouts/singles.ts`: a text, a reply or a pair, with an `id` where it has one.
 * @throws InputError "where: field: reason".
 */
export function parseScoreRecord(value: unknown, where: string): ScoreRecord<RecordContent> {
  return recogniseAndParse(value, where).record;
}

function recogniseAndParse(value: unknown, where: string) {
  const fields = asFields(value, where);
  const { layout, content } = readContent(fields, SCORABLE, where);
  const list = LISTS.layouts.some(({ name }) => name === layout.name);
  const pair = !list && content.replies.length === 2;
  const { id } = check(common, fields, where);
  const { margin, label } = pair ? check(pairFields, fields, where) : {};
  const record = {
    where,
    content,
    pair,
    ...(list ? { list } : {}),
    ...(id === undefined || id === null ? {} : { id }),
    ...(typeof margin === "number" ? { margin } : {}),
    ...(typeof label === "number" ? { label } : {}),
  };
  return { record, layout: layout.name };
}

const kind: RecordKind<ScoreRecord<RecordContent>> = {
  parse: recogniseAndParse,
  fields: new Set([...SCORABLE.fields, "margin", "label", "id"]),
};

/** A line that can't be scored, in the place where its result would be. */
export interface BadScoreRecord extends BadRow {
  readonly id?: string | number;
}

/** What a line gives: a record to score, or why not. */
export type ScoreLine = { readonly record: ScoreRecord<RecordContent> } | { readonly bad: BadScoreRecord };

/**
 * The lines of files, patterns or standard input ("-") one by one, so that `score` works in a pipe.
 * @throws InputError at the first bad line; with skipBadLines bad ones come as such, and only where all are bad it is
 * an error, at the end.
 */
export async function* readScoreLines(
  paths: string | readonly string[],
  options: ReadOptions = {},
): AsyncGenerator<ScoreLine> {
  for await (const read of readRecords(paths, kind, options)) {
    if ("record" in read) yield read;
    else yield { bad: { ...read.bad, ...identified(read.bad.value) } };
  }
}

/** The id of a row that is otherwise bad. */
function identified(value: unknown): { id?: string | number } {
  const id = common.safeParse(value).data?.id ?? undefined;
  return id === undefined ? {} : { id };
}
