/** @file Plain text as rows {text}: blocks of whole paragraphs, so that a long file can be divided and read as a stream. */

import { BYTE_ORDER_MARK, startsWith } from "./bytes.ts";
import { splitLines } from "./jsonl.ts";
import type { Entry } from "./row.ts";

/** Characters from which on a block ends with its paragraph. */
const BLOCK = 8192;

/**
 * Blocks of consecutive paragraphs (blank lines stand between them) of at least 8,192 characters each, the last one
 * apart; line ends are LF. A block's row is its first line; what isn't UTF-8 is a problem of its block.
 */
export async function* parseText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let lines: string[] = [];
  let length = 0;
  let first = 1;
  let row = 0;
  let problem: string | undefined;
  const block = (): Entry[] => {
    const text = lines.join("\n").replace(/^(?:[ \t]*\n)+|\s+$/g, "");
    const entry = problem === undefined ? { row: first, value: { text } } : { row: first, problem };
    return text === "" && problem === undefined ? [] : [entry];
  };
  for await (const raw of splitLines(bytes)) {
    row += 1;
    let line = raw;
    if (row === 1 && startsWith(line, BYTE_ORDER_MARK)) line = line.subarray(BYTE_ORDER_MARK.length);
    if (line.at(-1) === 0x0d) line = line.subarray(0, -1);
    let text = "";
    try {
      text = utf8.decode(line);
    } catch {
      problem ??= `line ${row} is not UTF-8 text`;
    }
    const blank = text.trim() === "";
    if (blank && length >= BLOCK) {
      yield* block();
      [lines, length, problem] = [[], 0, undefined];
    }
    if (lines.length === 0 && blank) continue;
    if (lines.length === 0) first = row;
    lines.push(text);
    length += text.length + 1;
  }
  yield* block();
}
