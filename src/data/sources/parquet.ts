/** @file Parquet: rows of one row group at a time, with values as JSON would have them. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { InputError } from "../../errors.ts";
import type { Source } from "./bytes.ts";
import type { Entry } from "./row.ts";

type ParquetFile = Awaited<ReturnType<typeof asyncBufferFromFile>>;

/** What a cell of text holds that is not UTF-8: one row's problem, not the file's. */
const INVALID = Symbol("invalid UTF-8");

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && strictText(bytes) };

/**
 * Rows numbered from 1; memory holds one row group. From a pipe, where Parquet's index at the end can't be read first,
 * it holds the file.
 * @throws InputError for a damaged file
 */
export async function* readParquet(source: Source): AsyncGenerator<Entry> {
  const { name, path } = source;
  const file = path === undefined ? await inMemory(source) : await opened(path, name);
  const metadata = await orDamaged(name, parquetMetadataAsync(file, { parsers }));
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const options = { file, metadata, rowStart: start, rowEnd: end, compressors, parsers, utf8: false };
    const rows = await orDamaged(name, parquetReadObjects(options));
    for (const [i, row] of rows.entries()) yield { row: start + i + 1, ...plain(row) };
    start = end;
  }
}

async function inMemory({ stream }: Source): Promise<ParquetFile> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Uint8Array.from(Buffer.concat(chunks)).buffer;
  return { byteLength: bytes.byteLength, slice: async (start, end) => bytes.slice(start, end) };
}

function opened(path: string, name: string): Promise<ParquetFile> {
  return asyncBufferFromFile(path).catch((error: Error) => {
    throw new InputError(`${name}: can't be read (${error.message})`);
  });
}

async function orDamaged<T>(name: string, read: Promise<T>): Promise<T> {
  return read.catch((error: Error) => {
    throw new InputError(`${name}: damaged Parquet, or of a kind that can't be read: ${error.message}`);
  });
}

function plain(row: Readonly<Record<string, unknown>>): { value: unknown } | { problem: string } {
  const bad: string[] = [];
  const value = Object.fromEntries(
    Object.entries(row).map(([field, held]) => [field, plainValue(held, () => bad.push(field))]),
  );
  return bad.length === 0 ? { value } : { problem: `${bad[0]}: not valid UTF-8` };
}

/** Integers of 64 bits become numbers where a number can hold them, else text; dates become text. */
function plainValue(value: unknown, invalid: () => void): unknown {
  if (value === INVALID) return invalid();
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value !== "object" || value === null) return value ?? null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) {
    // Old writers don't mark text as such; what isn't text (an image) stays what it is.
    const text = strictText(value);
    return text === INVALID ? value : text;
  }
  if (Array.isArray(value)) return value.map((item) => plainValue(item, invalid));
  if (ArrayBuffer.isView(value) && Symbol.iterator in value)
    return Array.from(value as Iterable<unknown> & ArrayBufferView, (item) => plainValue(item, invalid));
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plainValue(held, invalid)]));
}

function strictText(bytes: Uint8Array): string | typeof INVALID {
  try {
    return utf8.decode(bytes);
  } catch {
    return INVALID;
  }
}
