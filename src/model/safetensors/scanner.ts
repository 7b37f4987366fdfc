/**
 * @file Reads the JSON of a safetensors header in one pass. `JSON.parse` alone would hide duplicate names, round large
 * integers and accept any nesting; this scanner knows only what a header can hold (objects whose members the
 * caller reads, strings, lists of non-negative integers), so it needs no recursion and no more memory than the text.
 */
import { InputError } from "../../errors.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LONGEST_QUOTED = 200;

/** A name from a file, as it may stand in a message: quoted, escaped, and cut when it is very long. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > LONGEST_QUOTED ? `${name.slice(0, LONGEST_QUOTED)}…` : name);
}

/** A cursor over a header's text. `where` in its methods says what is being read, for the message. */
export class HeaderScanner {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /**
   * Walks an object: yields each member's name with the cursor on its value, which the caller must consume before
   * it asks for the next. A name that comes twice is an error.
   */
  *members(where: string): Generator<string, void, void> {
    this.#expect("{", where);
    if (this.#take("}")) return;
    const seen = new Set<string>();
    do {
      const name = this.string(where);
      if (seen.has(name)) throw this.error(`${where} has ${quoted(name)} twice`);
      seen.add(name);
      this.#expect(":", where);
      yield name;
    } while (this.#take(","));
    this.#expect("}", where);
  }

  /** A string, with its escapes resolved. Lone surrogates are refused, as they have no UTF-8 form. */
  string(where: string): string {
    this.#expect('"', where);
    const begin = this.#at - 1;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(unit)) throw this.error(`a string in ${where} has no end`);
      this.#at += unit === BACKSLASH ? 2 : 1;
      if (unit === QUOTE) break;
    }
    const value = unescaped(this.#text.slice(begin, this.#at));
    if (value === undefined) throw this.error(`a string in ${where} isn't valid JSON`);
    return value;
  }

  /** A list of non-negative integers, each at most 2^53 - 1. */
  integers(where: string): number[] {
    this.#expect("[", where);
    const values: number[] = [];
    if (this.#take("]")) return values;
    do values.push(this.#integer(where));
    while (this.#take(","));
    this.#expect("]", where);
    return values;
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.error(`the header goes on after its last "}"`);
  }

  /** The error for a rule of this file's header that is broken. */
  error(problem: string): InputError {
    return new InputError(
      `${this.#file}: not a valid safetensors file: ${problem}. Download or export the file again.`,
    );
  }

  #integer(where: string): number {
    this.#skipSpace();
    const begin = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
    const digits = this.#text.slice(begin, this.#at);
    const next = this.#text[this.#at];
    const isFraction = next === "." || next === "e" || next === "E";
    if (digits === "" || isFraction || (digits.length > 1 && digits.startsWith("0"))) {
      throw this.error(`${where} must be a list of non-negative integers`);
    }
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) throw this.error(`${where} has an integer above 2^53 - 1`);
    return value;
  }

  #expect(char: string, where: string): void {
    if (this.#take(char)) return;
    const found = this.#text[this.#at];
    const what = found === undefined ? "the header ends" : `${quoted(found)} stands`;
    throw this.error(`in ${where}, ${what} where ${quoted(char)} is expected`);
  }

  #take(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char !== " " && char !== "\n" && char !== "\r" && char !== "\t") return;
      this.#at++;
    }
  }
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function unescaped(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === "string" && !/\p{Surrogate}/u.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
