/** @file Preference records: a prompt, the reply that was preferred and the one that was not. */
import { z } from "zod";
import type { Content, RecordContent } from "./content.ts";
import { asFields, extraFields, readContent } from "./layouts/layout.ts";
import { PAIRS } from "./layouts/pairs.ts";
import { check, label, margin } from "./layouts/values.ts";
import { type ReadOptions, type RecordKind, readAll } from "./reading.ts";

/** One preference pair: `content.replies` is [chosen, rejected]. */
export interface PreferenceRecord<C extends RecordContent = Content> {
  /** "file:line", for messages. */
  readonly where: string;
  readonly content: C;
  /** By how much the chosen reply is better, where the data say so; it enters the loss only. */
  readonly margin?: number;
  /** Probability in [0, 1] that the chosen reply is the better one; 1 where the data say nothing, 0.5 is a tie. */
  readonly label?: number;
  /** Every other field of the record, kept as it was; reports group by them. */
  readonly extra: Readonly<Record<string, unknown>>;
}

const common = z.object({ margin: margin.nullish(), label: label.nullish() });

/**
 * One pair in any of the layouts of `layouts/pairs.ts`, with `margin` and `label` where it has them.
 * @throws InputError "where: field: reason".
 */
export function parsePreference(value: unknown, where: string): PreferenceRecord<RecordContent> {
  return recognisePreference(value, where).record;
}

/** The record, and the name of its layout. */
export function recognisePreference(value: unknown, where: string) {
  const fields = asFields(value, where);
  const { layout, content } = readContent(fields, PAIRS, where);
  const { margin, label } = check(common, fields, where);
  const record = {
    where,
    content,
    extra: extraFields(fields, PAIRS, new Set(["margin", "label", ...layout.fields])),
    ...(typeof margin === "number" ? { margin } : {}),
    ...(typeof label === "number" ? { label } : {}),
  };
  return { record, layout: layout.name };
}

// `split` is for the training run, which divides the records by it; `id` for reports.
export const preferences: RecordKind<PreferenceRecord<RecordContent>> = {
  parse: recognisePreference,
  fields: new Set([...PAIRS.fields, "margin", "label", "id", "split"]),
};

/**
 * All records of files, patterns or standard input ("-"), in order.
 * @throws InputError at the first bad row, or where there is no record at all.
 */
export async function readPreferences(
  paths: string | readonly string[],
  options: ReadOptions = {},
): Promise<PreferenceRecord<RecordContent>[]> {
  return readAll(paths, preferences, options);
}
