/** @file JSON Lines as a stream of values with their line numbers, from a file or from stdin. */
import { createReadStream } from "node:fs";
import { InputError } from "../errors.ts";

/** One line of a JSON Lines file: its 1-based number in the file (blank lines count) and its value. */
export interface JsonlLine {
  readonly line: number;
  readonly value: unknown;
}

const LF = 0x0a;
const BYTE_ORDER_MARK = "\u{feff}";

/**
 * Reads `path`, or standard input when it is "-", line by line; memory holds one line and one chunk.
 * @throws InputError naming the file, and the line where there is one.
 */
export async function* readJsonl(path: string): AsyncGenerator<JsonlLine> {
  const source = path === "-" ? process.stdin : createReadStream(path);
  yield* parseJsonl(readable(source, path), path === "-" ? "stdin" : path);
}

/**
 * Splits bytes into lines at LF or CRLF and parses each as JSON. A byte order mark before the first line and
 * blank lines are skipped.
 * @param name what errors call the source.
 * @throws InputError on invalid UTF-8 or JSON.
 */
export async function* parseJsonl(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<JsonlLine> {
  let line = 0;
  for await (const raw of splitLines(bytes)) {
    line += 1;
    const text = decodeLine(raw, line, name);
    if (text.trim() !== "") yield { line, value: parseLine(text, line, name) };
  }
}

async function* readable(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new InputError(`${path}: no such file`);
    if (code === "EISDIR")
      throw new InputError(`${path}: a folder, expected a file with one JSON object per line`);
    throw new InputError(
      `${path}: can't be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

/** The pieces of a long line are joined once, so that a line of many chunks costs linear time. */
async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      pieces.push(chunk.subarray(start, end));
      yield Buffer.concat(pieces);
      pieces = [];
      start = end + 1;
    }
    pieces.push(chunk.subarray(start));
  }
  yield Buffer.concat(pieces);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeLine(raw: Uint8Array, line: number, name: string): string {
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    throw new InputError(`${name}:${line}: not valid UTF-8; convert the file to UTF-8`);
  }
  return line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function parseLine(text: string, line: number, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /\b(NaN|Infinity)\b/.test(text) ? " (JSON has no NaN and no Infinity)" : "";
    throw new InputError(`${name}:${line}: not valid JSON: ${(error as Error).message}${hint}`);
  }
}
