/** @file Markdown from values: tables, numbers, and text from elsewhere made harmless. */

/** Longest piece of text from elsewhere, in characters. */
const longest = 100;

/** What Markdown may take for markup; an underscore inside a word is none. */
const markup = /[\\`*{}[\]<>#!|~&$@]|:(?=\/\/)|(?<!\w)_|_(?!\w)|(?<=www)\./gi;

/** Text from files or users as plain text on one line: no markup, no HTML, no link, not too long. */
export function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  const characters = [...line];
  const cut = characters.length > longest ? `${characters.slice(0, longest - 3).join("")}...` : line;
  return cut.replace(markup, (c) => `&#${c.charCodeAt(0)};`);
}

/** Rows under a heading row; cells are Markdown already. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...rows.map(line)];
}

/** A share with three digits; "none" for what there is none of. */
export const share = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : "none");

export const decimal = (value: number) => (Number.isFinite(value) ? value.toFixed(4) : String(value));
