/** @file What a source of records gives: rows in order, each with its place, and a reason where it can't be read. */

/** One row of a source: its value, or why it can't be read. */
export type Row = ReadableRow | UnreadableRow;

interface Place {
  /** "file:line"; in a table or a JSON list "file:row", counted from 1. */
  readonly where: string;
  /** The file as it was named, "stdin" for standard input. */
  readonly file: string;
}

export interface ReadableRow extends Place {
  readonly value: unknown;
}

export interface UnreadableRow extends Place {
  readonly problem: string;
}

/** What the reader of one format yields: the row's number within its file, and its value or what is wrong with it. */
export type Entry =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly problem: string };
