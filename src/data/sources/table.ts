/** @file CSV and TSV as a stream of rows: the first line names the columns, every cell is text. */
import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import { InputError } from "../../errors.ts";
import { BYTE_ORDER_MARK, type Source, startsWith } from "./bytes.ts";
import type { Entry } from "./row.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Rows as objects of strings, numbered from 1 below the header. Quoted cells may hold line breaks (RFC 4180); in TSV
 * a quote within a cell is itself.
 * @throws InputError for a header that names a column twice, and for quotes out of place, after which no row can be told
 */
export async function* parseTable(source: Source, delimiter: "," | "\t"): AsyncGenerator<Entry> {
  const { name } = source;
  const parser = parse({
    delimiter,
    // Cells come as bytes: invalid UTF-8 is then one row's problem.
    encoding: null,
    skip_empty_lines: true,
    // A quote that is never closed would take the rest of the file into one cell.
    max_record_size: 2 ** 27,
    relax_column_count: true,
    relax_quotes: delimiter === "\t",
  });
  let columns: readonly string[] | undefined;
  let row = 0;
  try {
    // The callback has nothing to do: a failure of either side comes out of the iteration.
    const records = pipeline(Readable.from(withoutMark(source)), parser, () => {});
    for await (const cells of records as AsyncIterable<Uint8Array[]>) {
      if (columns === undefined) columns = header(cells, name);
      else yield { row: ++row, ...readCells(cells, columns) };
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: not a valid table: ${(error as Error).message}`);
  }
}

/** The bytes without a byte order mark, which would hide the quote of a first cell. */
async function* withoutMark({ head, stream }: Source): AsyncGenerator<Uint8Array> {
  let skip = startsWith(head, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  for await (const chunk of stream) {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}

function header(cells: readonly Uint8Array[], name: string): string[] {
  const columns = cells.map((cell) => decode(cell));
  const names = columns.map((column, i) => {
    if (column === undefined)
      throw new InputError(`${name}: the header is not valid UTF-8; convert the file to UTF-8`);
    const title = column.trim();
    if (columns.findIndex((other) => other?.trim() === title) < i)
      throw new InputError(`${name}: two columns are called ${JSON.stringify(title)}`);
    return title;
  });
  return names;
}

function readCells(cells: readonly Uint8Array[], columns: readonly string[]) {
  if (cells.length !== columns.length)
    return { problem: `${cells.length} cells under a header of ${columns.length} columns` };
  const named: [string, string][] = [];
  for (const [i, column] of columns.entries()) {
    const text = decode(cells[i]!);
    if (text === undefined) return { problem: `${column}: not valid UTF-8; convert the file to UTF-8` };
    named.push([column, text]);
  }
  return { value: Object.fromEntries(named) };
}

function decode(cell: Uint8Array): string | undefined {
  try {
    return utf8.decode(cell);
  } catch {
    return undefined;
  }
}
