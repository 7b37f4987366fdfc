/** @file From rows to records: a bad row is refused or, where the user says so, left out and counted. */
import { InputError } from "../errors.ts";
import type { Columns } from "./sources/columns.ts";
import { sourceName } from "./sources/files.ts";
import { type Row, readRows } from "./sources/rows.ts";

export interface ReadOptions {
  /** Our field's name to the records' own; "" leaves ours out. */
  readonly columns?: Columns | undefined;
  /** Go on after a row that can't be used. Without it, the first one stops the reading. */
  readonly skipBadLines?: boolean | undefined;
  /** Is told what was found. */
  readonly log?: ReadingLog | undefined;
  /** Is told of the files' bytes as they are read. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** A row that was left out, and why. */
export interface BadRow {
  /** "file:line", which `problem` doesn't repeat. */
  readonly where: string;
  readonly problem: string;
  /** The row, where it is at least JSON. */
  readonly value?: unknown;
}

const SHOWN = 3;

/** What became of the rows that were read. */
export class ReadingLog {
  /** By file, how many rows had which layout. */
  readonly files = new Map<string, Map<string, number>>();
  /** Rows that were left out. */
  bad = 0;
  /** The first few of them. */
  readonly examples: BadRow[] = [];

  read(file: string, layout: string): void {
    const layouts = this.files.get(file) ?? new Map<string, number>();
    layouts.set(layout, (layouts.get(layout) ?? 0) + 1);
    this.files.set(file, layouts);
  }

  skipped(row: BadRow): void {
    this.bad += 1;
    if (this.examples.length < SHOWN) this.examples.push(row);
  }

  /** One line for each thing worth knowing. */
  lines(): string[] {
    return [...this.#layouts(), ...this.#skipped()];
  }

  /** "data.jsonl: 300 pairs of strings"; files of one layout that follow each other share a line. */
  #layouts(): string[] {
    const groups: { files: string[]; rows: number; layouts: string }[] = [];
    for (const [file, counts] of this.files) {
      const rows = [...counts.values()].reduce((sum, n) => sum + n, 0);
      const layouts =
        counts.size === 1
          ? [...counts.keys()].join()
          : [...counts].map(([layout, n]) => `${layout} (${n})`).join("; ");
      const last = groups.at(-1);
      if (last?.layouts === layouts && counts.size === 1) {
        last.files.push(file);
        last.rows += rows;
      } else groups.push({ files: [file], rows, layouts });
    }
    return groups.map(({ files, rows, layouts }) => {
      const [first = "", ...others] = files;
      const name = others.length === 0 ? first : `${first} to ${others.at(-1)} (${files.length} files)`;
      return `${name}: ${rows} ${rows === 1 ? "record" : "records"}, ${layouts}`;
    });
  }

  #skipped(): string[] {
    if (this.bad === 0) return [];
    const shown = this.examples.map(({ where, problem }) => `  ${where}: ${problem}`);
    const more = this.bad > SHOWN ? [`  and ${this.bad - SHOWN} more`] : [];
    const many = this.bad === 1 ? "1 bad line" : `${this.bad} bad lines`;
    return [[`${many} skipped:`, ...shown, ...more].join("\n")];
  }
}

/**
 * What `make` gives; or undefined, told to the log, where it throws an InputError about the record at `where`.
 * @param log without one the error is thrown on
 */
export function orSkipped<T>(make: () => T, where: string, log: ReadingLog | undefined): T | undefined {
  try {
    return make();
  } catch (error) {
    skipOrThrow(error, where, log);
    return undefined;
  }
}

/** Tells the log of an InputError about the record at `where`; any other error, or without a log any at all, is thrown. */
export function skipOrThrow(error: unknown, where: string, log: ReadingLog | undefined): void {
  if (log === undefined || !(error instanceof InputError)) throw error;
  log.skipped({ where, problem: error.message.slice(`${where}: `.length) });
}

/** A row's value as a record, and the name of the layout that it has; an InputError begins with `where`. */
export type Parse<R> = (value: unknown, where: string) => { readonly record: R; readonly layout: string };

/** A kind of records: how one is read, and all fields that any of them has for reading. */
export interface RecordKind<R> {
  readonly parse: Parse<R>;
  readonly fields: ReadonlySet<string>;
  /** Files of plain text (.txt) are records {text}, and a folder stands for those in it. */
  readonly plainText?: boolean;
}

/** What a row gives: a record, or why not. */
export type ReadRow<R> = { readonly record: R } | { readonly bad: BadRow };

/**
 * The rows of `paths` through `parse`, in order; bad ones as such where `skipBadLines` is set.
 * @throws InputError at the first bad row, or with skipBadLines at the end where no row was good; a file without rows
 * is no error here.
 */
export async function* readRecords<R>(
  paths: string | readonly string[],
  { parse, fields, plainText = false }: RecordKind<R>,
  { columns = {}, skipBadLines = false, log = new ReadingLog(), onBytes }: ReadOptions = {},
): AsyncGenerator<ReadRow<R>> {
  for (const [ours, name] of Object.entries(columns)) {
    if (fields.has(ours)) continue;
    const known = [...fields].sort().join(", ");
    throw new InputError(`--columns ${ours}=${name}: no field ${ours} is read; there are ${known}`);
  }
  let good = 0;
  for await (const row of readRows(paths, columns, { onBytes, plainText })) {
    const read = parseRow(row, parse);
    if ("record" in read) {
      good += 1;
      log.read(row.file, read.layout);
    } else if (!skipBadLines) throw new InputError(`${read.bad.where}: ${read.bad.problem}`);
    else log.skipped(read.bad);
    yield read;
  }
  if (good === 0) refuseAllBad(paths, log);
}

/**
 * All records of a kind, in order.
 * @throws InputError at the first bad row, or where there is no record at all.
 */
export async function readAll<R>(
  paths: string | readonly string[],
  kind: RecordKind<R>,
  options: ReadOptions = {},
): Promise<R[]> {
  const records: R[] = [];
  for await (const read of readRecords(paths, kind, options)) if ("record" in read) records.push(read.record);
  if (records.length === 0)
    throw new InputError(`${sourceName(paths)}: no records; expected one JSON object per line`);
  return records;
}

/** @throws InputError where the log has a bad row: for readers with nothing left. */
export function refuseAllBad(paths: string | readonly string[], { bad, examples }: ReadingLog): void {
  const [first] = examples;
  if (first === undefined) return;
  const all = bad === 1 ? "the only line is bad" : `all ${bad} lines are bad`;
  throw new InputError(`${sourceName(paths)}: ${all}; the first: ${first.where}: ${first.problem}`);
}

function parseRow<R>(row: Row, parse: Parse<R>) {
  if ("problem" in row) return { bad: { where: row.where, problem: row.problem } };
  const { where, value } = row;
  try {
    return parse(value, where);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { bad: { where, value, problem: error.message.slice(`${where}: `.length) } };
  }
}
