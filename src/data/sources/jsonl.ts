/** @file JSON Lines: bytes as a stream of lines, each parsed as JSON; a bad line doesn't end the stream. */
import { parseJson } from "./json-text.ts";
import type { Entry } from "./row.ts";

const LF = 0x0a;

/**
 * Splits bytes into lines at LF or CRLF and parses each as JSON; memory holds one line and one chunk. A byte order
 * mark before the first line and blank lines are skipped; blank lines count.
 */
export async function* parseJsonl(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  let row = 0;
  for await (const raw of splitLines(bytes)) {
    row += 1;
    const parsed = parseJson(raw, row === 1);
    if (parsed !== undefined) yield { row, ...parsed };
  }
}

/** The pieces of a long line are joined once, so that a line of many chunks costs linear time. */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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
