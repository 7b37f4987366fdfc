/** @file Preference records: a prompt, the reply that was preferred and the one that was not. */
import { z } from "zod";
import { InputError } from "../errors.ts";
import { type Content, check, ID_PAIR, margin, parseContent, parseObject, TEXT_PAIR } from "./content.ts";
import { readJsonl } from "./jsonl.ts";

/** One preference pair: `content.replies` is [chosen, rejected]. */
export interface PreferenceRecord {
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: Content;
  /** By how much the chosen reply is better, where the data say so; it enters the loss only. */
  readonly margin?: number;
  /** Every other field of the record, kept as it was; reports group by them. */
  readonly extra: Readonly<Record<string, unknown>>;
}

const marginField = z.object({ margin: margin.nullish() });

/**
 * `{prompt?, chosen, rejected, margin?}` with strings, or `{prompt_ids?, chosen_ids, rejected_ids, margin?}`.
 * @throws InputError "where: field: reason".
 */
export function parsePreference(value: unknown, where: string): PreferenceRecord {
  const record = parseObject(value, where);
  const { content } = parseContent(record, [TEXT_PAIR, ID_PAIR], where);
  const given = check(marginField, record, where).margin ?? undefined;
  const known = new Set(["margin", ...TEXT_PAIR.fields, ...ID_PAIR.fields]);
  const extra = Object.fromEntries(Object.entries(record).filter(([field]) => !known.has(field)));
  return { where, content, extra, ...(given === undefined ? {} : { margin: given }) };
}

/**
 * All records of a JSON Lines file ("-": standard input), in order.
 * @throws InputError at the first bad line, or where there is no record at all.
 */
export async function readPreferences(path: string): Promise<PreferenceRecord[]> {
  const name = path === "-" ? "stdin" : path;
  const records: PreferenceRecord[] = [];
  for await (const { line, value } of readJsonl(path))
    records.push(parsePreference(value, `${name}:${line}`));
  if (records.length === 0) throw new InputError(`${name}: no records; expected one JSON object per line`);
  return records;
}
