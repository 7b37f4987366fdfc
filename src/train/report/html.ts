/** @file HTML from templates in which every value is escaped unless it is HTML already. */

/** Markup that is finished: whatever came from elsewhere has been escaped in it. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | false | undefined | readonly Value[];

/** `html\`<p>${text}</p>\``: strings are escaped; markup, lists of it, and nothing (false, undefined) are inserted. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? "";
  for (const [i, value] of values.entries()) text += insert(value) + (parts[i + 1] ?? "");
  return new Html(text);
}

function insert(value: Value): string {
  if (value instanceof Html) return value.text;
  if (value === false || value === undefined) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(insert).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For element content and quoted attributes alike. What could not be seen, or could reorder the page, is spelled out. */
export function escapeHtml(text: string): string {
  return spellHidden(text).replace(/[&<>"']/g, (c) => entities[c] ?? c);
}

/*
 * Control characters but tab and line feed; bidirectional embeddings, overrides and isolates; invisible spaces and
 * separators; tag characters, which hide text inside text; halves of surrogate pairs; noncharacters. Joiners stay: emoji
 * and several scripts need them.
 */
const hidden =
  /(?![\t\n])[\p{Cc}\p{Surrogate}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\u{e0000}-\u{e007f}]/gu;

/** Characters that a reader would not see, as their code points: U+202E becomes `⟨U+202E⟩`. */
export function spellHidden(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(hidden, (c) => `⟨U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** `1 pair`, `2 pairs`. */
export function plural(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** 12,345 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A share in percent: `54.7 %`, the space unbroken. */
export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)}\u00a0%` : "none";
}

/** `49.1 to 60.2 %` */
export function percentRange({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${(100 * low).toFixed(1)} to ${percent(high)}`;
}

/** Three decimals near one, fewer for large numbers, exponents for very large and very small ones. */
export function decimal(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "none";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size >= 1e6 || size < 0.5 * 10 ** -digits)
      ? value.toExponential(2)
      : value.toFixed(size >= 1000 ? 1 : digits);
  return text.replace("-", "−");
}
