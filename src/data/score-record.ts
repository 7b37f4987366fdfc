/** @file The lines that `score` reads: one text, one reply to a prompt, or a pair; as strings or as token ids. */
import { z } from "zod";
import {
  type Content,
  check,
  ID_PAIR,
  ID_RESPONSE,
  IDS,
  margin,
  parseContent,
  parseObject,
  TEXT,
  TEXT_PAIR,
  TEXT_RESPONSE,
} from "./content.ts";
import { readJsonl } from "./jsonl.ts";

/** One line to score; `content.replies` holds one reply, or [chosen, rejected] where `pair` is true. */
export interface ScoreRecord {
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: Content;
  readonly pair: boolean;
  readonly id?: string | number;
  /** A pair's own margin, which the output repeats as `margin_label`. */
  readonly margin?: number;
}

const common = z.object({
  id: z.union([z.string(), z.number()], { error: "expected a string or a finite number" }).nullish(),
});
const pairFields = z.object({ margin: margin.nullish() });

/**
 * `{text}`, `{prompt?, response}`, `{input_ids}`, `{prompt_ids?, response_ids}`, `{prompt?, chosen, rejected}` or
 * `{prompt_ids?, chosen_ids, rejected_ids}`, each with an `id` where it has one.
 * @throws InputError "where: field: reason".
 */
export function parseScoreRecord(value: unknown, where: string): ScoreRecord {
  const record = parseObject(value, where);
  const shapes = [TEXT, TEXT_RESPONSE, IDS, ID_RESPONSE, TEXT_PAIR, ID_PAIR];
  const { content } = parseContent(record, shapes, where);
  const pair = content.replies.length === 2;
  const id = check(common, record, where).id ?? undefined;
  const label = pair ? (check(pairFields, record, where).margin ?? undefined) : undefined;
  return {
    where,
    content,
    pair,
    ...(id === undefined ? {} : { id }),
    ...(label === undefined ? {} : { margin: label }),
  };
}

/**
 * The lines of a file ("-": standard input) one by one, so that `score` works in a pipe.
 * @throws InputError at the first bad line.
 */
export async function* readScoreRecords(path: string): AsyncGenerator<ScoreRecord> {
  const name = path === "-" ? "stdin" : path;
  for await (const { line, value } of readJsonl(path)) yield parseScoreRecord(value, `${name}:${line}`);
}
