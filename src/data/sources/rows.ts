/** @file The rows of one or many files of records, in order, whatever they are stored as. */
import { openSource, type Source } from "./bytes.ts";
import { fromCells } from "./cells.ts";
import { type Columns, checkColumns, rename } from "./columns.ts";
import { findFiles, sourceName } from "./files.ts";
import { type Format, formatOf } from "./format.ts";
import { parseList } from "./json-list.ts";
import { isObject, type Parsed } from "./json-text.ts";
import { parseJsonl } from "./jsonl.ts";
import type { Entry, Row } from "./row.ts";
import { parseTable } from "./table.ts";
import { parseText } from "./text.ts";

export type { Row } from "./row.ts";

export interface RowOptions {
  /** Is told of the files' bytes as they are read; not of Parquet's, which are not read in order. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** A .txt file is plain text, whose blocks are rows {text}, and a folder stands for its .txt and .txt.gz files. */
  readonly plainText?: boolean;
}

/**
 * The rows of files, patterns or standard input ("-"), in order: JSON Lines, one JSON list, CSV, TSV (these also
 * gzipped) or Parquet. Memory holds one row, and of Parquet one row group. A row that can't be read comes with its
 * `problem`, and reading goes on.
 * @throws InputError where a file can't be found or opened, is damaged so that no further row can be told, or where
 * its first row lacks a field that `columns` names
 */
export async function* readRows(
  paths: string | readonly string[],
  columns: Columns = {},
  { onBytes, plainText = false }: RowOptions = {},
): AsyncGenerator<Row> {
  for (const path of await findFiles(paths, plainText ? "**/*.{txt,txt.gz}" : undefined)) {
    const file = sourceName(path);
    const source = await openSource(path, file, onBytes);
    try {
      const format = plainText && isTextFile(path) ? "text" : formatOf(path, source);
      let first = true;
      for await (const { row, ...entry } of entries(format, source)) {
        const place = { where: `${file}:${row}`, file };
        if (!("value" in entry && isObject(entry.value))) yield { ...place, ...entry };
        else {
          if (first) checkColumns(entry.value, columns, place.where);
          first = false;
          yield { ...place, ...finish(format, rename(entry.value, columns)) };
        }
      }
    } finally {
      await source.close();
    }
  }
}

const isTextFile = (path: string) => /\.txt(\.gz)?$/i.test(path);

function entries(format: Format | "text", source: Source): AsyncGenerator<Entry> {
  switch (format) {
    case "text":
      return parseText(source.stream);
    case "lines":
      return parseJsonl(source.stream);
    case "list":
      return parseList(source);
    case "parquet":
      return parseParquet(source);
    case "csv":
      return parseTable(source, ",");
    case "tsv":
      return parseTable(source, "\t");
  }
}

function finish(format: Format | "text", value: Readonly<Record<string, unknown>>): Parsed {
  if (format !== "csv" && format !== "tsv") return { value };
  return fromCells(value as Readonly<Record<string, string>>);
}

/** The libraries for it are loaded where there is such a file. */
async function* parseParquet(source: Source): AsyncGenerator<Entry> {
  const { readParquet } = await import("./parquet.ts");
  yield* readParquet(source);
}
