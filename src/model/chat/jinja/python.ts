/**
 * @file Values as Python shows and compares them. transformers renders templates with Python's Jinja2, where None is
 * printed as "None" and "1" is not 1; @huggingface/jinja does both as JavaScript would, silently.
 */
import type { Value } from "./library.ts";

/** str(value); an undefined variable is the empty string, as in Jinja2. */
export function pythonText(value: Value): string {
  if (value.type === "StringValue") return String(value.value);
  return value.type === "UndefinedValue" ? "" : pythonRepr(value);
}

function pythonRepr(value: Value): string {
  switch (value.type) {
    case "NullValue":
      return "None";
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "StringValue":
      return quote(String(value.value));
    case "IntegerValue":
      return BigInt(Number(value.value)).toString();
    case "FloatValue":
      return floatText(Number(value.value));
    case "ArrayValue":
      return `[${listOf(value).map(pythonRepr).join(", ")}]`;
    case "TupleValue": {
      const items = listOf(value).map(pythonRepr);
      return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
    }
    case "ObjectValue":
      return `{${[...mapOf(value)].map(([key, item]) => `${quote(key)}: ${pythonRepr(item)}`).join(", ")}}`;
    default:
      throw new Error(`a ${value.type.replace("Value", "").toLowerCase()} can't be printed`);
  }
}

/** Shortest digits that give the number back, with Python's choice of when to write an exponent. */
function floatText(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const [digits = "", exponent = "0"] = x.toExponential().split("e");
  const power = Number(exponent);
  if (power >= 16 || power < -4)
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  const sign = Object.is(x, -0) ? "-" : "";
  return sign + (Number.isInteger(x) ? `${BigInt(x)}.0` : decimalText(x, power));
}

/** Python writes 0.00001234 without an exponent down to 1e-4, as JavaScript does down to 1e-6. */
function decimalText(x: number, power: number): string {
  return power >= -6 ? String(x) : x.toFixed(20);
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\'"\n\r\t\p{Cc}]/gu, (c) => {
    if (c === "\\") return "\\\\";
    if (c === "'" || c === '"') return c === mark ? `\\${c}` : c;
    const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
    return named ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return mark + body + mark;
}

/** a == b */
export function pythonEqual(a: Value, b: Value): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x === y;
  if (isList(a) && isList(b)) {
    const [left, right] = [listOf(a), listOf(b)];
    return (
      a.type === b.type && left.length === right.length && left.every((v, i) => pythonEqual(v, right[i]!))
    );
  }
  if (a.type !== b.type) return false;
  if (a.type !== "ObjectValue") return a.value === b.value;
  const [left, right] = [mapOf(a), mapOf(b)];
  const same = ([key, item]: [string, Value]) => {
    const other = right.get(key);
    return other !== undefined && pythonEqual(item, other);
  };
  return left.size === right.size && [...left].every(same);
}

/** The remainder with the divisor's sign. */
export function pythonModulo(a: number, b: number): number {
  if (b === 0) throw new Error("integer modulo by zero");
  return a - b * Math.floor(a / b);
}

// What str.strip() takes away: characters of Unicode's bidirectional types WS, B and S, and spaces (category Zs).
const SPACE =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

/** str.strip, lstrip and rstrip: `chars` is a set of characters, not a prefix; white space where it isn't given. */
export function strip(text: string, side: "strip" | "lstrip" | "rstrip", chars = SPACE): string {
  if (/\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(chars))
    throw new Error("strip() of characters beyond U+FFFF is not supported");
  const isTaken = (c: string) => chars.includes(c);
  let [begin, end] = [0, text.length];
  if (side !== "rstrip") while (begin < end && isTaken(text[begin]!)) begin++;
  if (side !== "lstrip") while (end > begin && isTaken(text[end - 1]!)) end--;
  return text.slice(begin, end);
}

/** str.capitalize */
export function capitalize(text: string): string {
  const [first = "", ...rest] = Array.from(text);
  return first.toUpperCase() + rest.join("").toLowerCase();
}

export function isList(value: Value): boolean {
  return value.type === "ArrayValue" || value.type === "TupleValue";
}

export function listOf(value: Value): readonly Value[] {
  return value.value as readonly Value[];
}

export function mapOf(value: Value): Map<string, Value> {
  return value.value as Map<string, Value>;
}

/** Of a number or a boolean, which is 0 or 1 in Python. */
export function numberOf(value: Value): number | undefined {
  if (value.type === "BooleanValue") return value.value ? 1 : 0;
  return value.type === "IntegerValue" || value.type === "FloatValue" ? Number(value.value) : undefined;
}
