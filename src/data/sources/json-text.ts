/** @file One row's bytes as a JSON value, or what is wrong with them. */

/** Nesting that a row may have; deeper values would overflow the stack of whatever walks through them later. */
const MAX_DEPTH = 500;
const BYTE_ORDER_MARK = "\u{feff}";

export type Parsed = { readonly value: unknown } | { readonly problem: string };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param first whether a byte order mark may stand before the text. Undefined: nothing but white space. */
export function parseJson(raw: Uint8Array, first = false): Parsed | undefined {
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch {
    return { problem: "not valid UTF-8; convert the file to UTF-8" };
  }
  if (first && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
  if (text.trim() === "") return undefined;
  if (tooDeep(text)) return { problem: `nested deeper than ${MAX_DEPTH} levels` };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `not valid JSON: ${(error as Error).message}${hint(text)}` };
  }
}

function hint(text: string): string {
  if (/\b(NaN|Infinity)\b/.test(text)) return " (JSON has no NaN and no Infinity)";
  if (/,\s*[}\]]\s*$/.test(text)) return " (a comma before the closing bracket)";
  if (text.trim() === "{") return " (expected one object per line, or a list of objects)";
  return "";
}

/** Only a text with that many opening brackets is looked at character by character. */
function tooDeep(text: string): boolean {
  if (count(text, "[") + count(text, "{") <= MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString && char === "\\") i++;
    else if (char === '"') inString = !inString;
    else if (!inString && (char === "[" || char === "{")) depth++;
    else if (!inString && (char === "]" || char === "}")) depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** Occurrences, counted up to the limit. */
function count(text: string, char: string): number {
  let found = 0;
  for (let i = text.indexOf(char); i >= 0 && found <= MAX_DEPTH; i = text.indexOf(char, i + 1)) found++;
  return found;
}
