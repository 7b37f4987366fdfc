/** @file One JSON list of records, read item by item: memory holds one item, however long the list. */
import { InputError } from "../../errors.ts";
import type { Source } from "./bytes.ts";
import { parseJson } from "./json-text.ts";
import type { Entry } from "./row.ts";

const byte = (char: string) => char.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA] = [byte('"'), byte("\\"), byte(",")];
const OPEN = new Set([byte("["), byte("{")]);
const CLOSE = new Set([byte("]"), byte("}")]);
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** Follows the brackets and strings of JSON, which are all that has to be known to find where an item ends. */
class Scanner {
  /** 1 in the list, outside of its items; 0 before and after it. */
  depth = 0;
  #inString = false;
  #escaped = false;

  /** Takes one byte in; whether it stands between items: the list's brackets and commas. */
  isBetween(char: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (char === BACKSLASH) this.#escaped = true;
      else if (char === QUOTE) this.#inString = false;
      return false;
    }
    if (char === QUOTE) this.#inString = true;
    else if (OPEN.has(char)) return this.depth++ === 0;
    else if (CLOSE.has(char)) return --this.depth === 0;
    else if (char === COMMA) return this.depth === 1;
    return false;
  }
}

/**
 * The items of the list, numbered from 1. An item that is no JSON comes with its problem.
 * @throws InputError where the list doesn't end, or where anything but white space follows it
 */
export async function* parseList({ stream, name }: Source): AsyncGenerator<Entry> {
  const scanner = new Scanner();
  let begun = false;
  let ended = false;
  let row = 1;
  let pieces: Uint8Array[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const char = chunk[i]!;
      if (ended) {
        if (!BLANK.has(char)) throw new InputError(`${name}: more text after the end of the list`);
        continue;
      }
      if (!scanner.isBetween(char)) continue;
      if (begun) {
        pieces.push(chunk.subarray(start, i));
        ended = scanner.depth === 0;
        const item = parseJson(Buffer.concat(pieces));
        // An empty list has no first item; everywhere else something stands before a comma and before the end.
        if (item !== undefined) yield { row, ...item };
        else if (!(ended && row === 1))
          yield { row, problem: "not valid JSON: nothing between two commas, or a comma before ]" };
        row += 1;
      }
      begun = true;
      pieces = [];
      start = i + 1;
    }
    if (!ended) pieces.push(chunk.subarray(start));
  }
  if (!ended)
    throw new InputError(
      `${name}: the list ends in the middle of item ${row}: a bracket, a quote or the rest of the file is missing`,
    );
}
