/** @file What a layout of records is, and which one a record has. */
import { InputError } from "../../errors.ts";
import type { RecordContent } from "../content.ts";
import { isObject } from "../sources/json-text.ts";
import { describe } from "./values.ts";

/** A record's fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** One way in which records are written down. */
export interface Layout {
  /** As the user is told it. */
  readonly name: string;
  /** All fields that it reads. */
  readonly fields: readonly string[];
  /** Fields of other layouts that may stand beside them, and are left alone. */
  readonly ignores?: readonly string[];
  /** Whether the record is meant to be of this layout; it may still be wrong in detail. */
  readonly matches: (record: Fields) => boolean;
  /** @throws InputError "where: field: reason" */
  readonly read: (record: Fields, where: string) => RecordContent;
}

/** The layouts that a kind of record may have, and what they need, in words. */
export interface Layouts {
  readonly layouts: readonly Layout[];
  /** Every field that any of them reads. */
  readonly fields: ReadonlySet<string>;
  readonly expected: string;
}

export function layoutsOf(layouts: readonly Layout[], expected: string): Layouts {
  return { layouts, fields: new Set(layouts.flatMap((layout) => layout.fields)), expected };
}

/** Whether the record has the field, be it empty. */
export function has(record: Fields, field: string): boolean {
  return record[field] !== undefined && record[field] !== null;
}

/** Whether the field says something: it is there, and neither "" nor []. */
export function says(record: Fields, field: string): boolean {
  const value = record[field];
  return has(record, field) && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/**
 * The content of a record, read by the first layout that matches.
 * @param where "file:line", the beginning of every error.
 * @throws InputError where none matches, where the record has fields that only another one reads, or from the layout
 */
export function readContent(record: Fields, { layouts, fields, expected }: Layouts, where: string) {
  const layout = layouts.find((l) => l.matches(record));
  if (layout === undefined) throw new InputError(`${where}: ${noLayout(record, expected)}`);
  const isStray = (field: string) =>
    fields.has(field) &&
    !layout.fields.includes(field) &&
    !layout.ignores?.includes(field) &&
    says(record, field);
  const stray = Object.keys(record).find(isStray);
  if (stray !== undefined) {
    const own = layout.fields.filter((field) => has(record, field));
    // The replies say best which layout it is; they stand before what they go with.
    const mark = own.find((field) => /^(chosen|response|text|messages|input_ids)/.test(field)) ?? own[0];
    throw new InputError(
      `${where}: ${stray} doesn't go with ${mark} as ${layout.name}; use only ${layout.fields.join(", ")}, ` +
        `or leave ${stray} out with --columns ${stray}=`,
    );
  }
  return { layout, content: layout.read(record, where) };
}

/** The value as an object with fields. @throws InputError */
export function asFields(value: unknown, where: string): Fields {
  if (isObject(value)) return value;
  throw new InputError(`${where}: expected a JSON object, found ${describe(value)}`);
}

/** Every field that no layout of this kind reads, as it was; one that says nothing only where no layout knows it. */
export function extraFields(record: Fields, { fields }: Pick<Layouts, "fields">, used: ReadonlySet<string>) {
  return Object.fromEntries(
    Object.entries(record).filter(
      ([field, value]) => !used.has(field) && !(value === null && fields.has(field)),
    ),
  );
}

function noLayout(record: Fields, expected: string): string {
  const found = Object.keys(record).join(", ") || "no field";
  const other = otherKind(record);
  if (other !== undefined) return `${other}; expected ${expected}; found ${found}`;
  return `expected ${expected}; found ${found}. Fields of other names are given with --columns, such as chosen=NAME`;
}

/** What a record of another kind than the one that is read here is good for. */
function otherKind(record: Fields): string | undefined {
  if (has(record, "responses") || has(record, "completions") || has(record, "responses_ids"))
    return "lists of replies are data for the losses of ranked lists (plackett-luce, lipo)";
  const one = has(record, "completion") || has(record, "response") || has(record, "output");
  if (one && (has(record, "label") || has(record, "kto_tag")))
    return "single-label rows {prompt, completion, label} are data for the loss kto";
  return undefined;
}
