/** @file How a file of records is stored: told by its name, and by its first bytes where the name doesn't say. */
import { InputError } from "../../errors.ts";
import { BYTE_ORDER_MARK, type Source, startsWith } from "./bytes.ts";

/** `list` is one JSON list of records, `lines` is JSON Lines. */
export type Format = "lines" | "list" | "csv" | "tsv" | "parquet";

const named: Readonly<Record<string, "lines" | "json" | "csv" | "tsv" | "parquet">> = {
  jsonl: "lines",
  ndjson: "lines",
  json: "json",
  csv: "csv",
  tsv: "tsv",
  parquet: "parquet",
};

const ascii = (text: string) => [...Buffer.from(text, "latin1")];

/** What no reader here undoes, by how it begins. */
const refused: readonly (readonly [prefix: readonly number[], what: string])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd; decompress it first (gzip is read as it is)"],
  [ascii("BZh"), "compressed with bzip2; decompress it first (gzip is read as it is)"],
  [[0xfd, ...ascii("7zXZ")], "compressed with xz; decompress it first (gzip is read as it is)"],
  [ascii("PK\x03\x04"), "a zip archive (or a spreadsheet); unpack it, or export it as CSV"],
  [ascii("ARROW1"), "an Arrow file; store it as Parquet or JSON Lines"],
  [[0xff, 0xfe], "UTF-16 text; convert it to UTF-8"],
  [[0xfe, 0xff], "UTF-16 text; convert it to UTF-8"],
];

const parquetMagic = ascii("PAR1");

/** @throws InputError for what can't be a file of records */
export function formatOf(path: string, { head, name }: Source): Format {
  if (startsWith(head, parquetMagic)) return "parquet";
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const expected = Object.hasOwn(named, extension) ? named[extension] : undefined;
  if (expected === "parquet")
    throw new InputError(`${name}: not Parquet, although its name says so: it doesn't begin with PAR1`);
  for (const [prefix, what] of refused)
    if (startsWith(head, prefix)) throw new InputError(`${name}: ${what}`);
  if (head.includes(0)) {
    throw new InputError(`${name}: binary data; expected JSON Lines, a JSON list, CSV, TSV or Parquet`);
  }
  const text = Buffer.from(startsWith(head, BYTE_ORDER_MARK) ? head.subarray(3) : head).toString("latin1");
  if (expected === "csv" || expected === "tsv") return expected;
  // A list of records is often given the name of JSON Lines, whose lines never begin so.
  if (expected === "lines") return /^\s*\[\s*\{/.test(text) ? "list" : "lines";
  if (/^\s*\[/.test(text)) return "list";
  return expected === "json" ? "lines" : guess(text);
}

/** A first line of names between commas or tabs begins a table; all else is read, and refused, as JSON Lines. */
function guess(text: string): Format {
  const first = /^[^\r\n]*/.exec(text)?.[0] ?? "";
  const isHeader = (separator: string) =>
    first.includes(separator) && first.split(separator).every((cell) => /^"?[A-Za-z_][\w .-]*"?$/.test(cell));
  if (isHeader("\t")) return "tsv";
  return isHeader(",") ? "csv" : "lines";
}
