/** @file Tables in Markdown whose columns are lined up, so that they read well in a terminal too. */

/** @param head a name that ends in # is of a column of numbers, set to the right */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const numeric = head.map((name) => name.endsWith("#"));
  const names = head.map((name) => name.replace(/#$/, ""));
  const widths = names.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(" | ")} |`;
  const rule = widths.map((width, i) => (numeric[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return `${[line(names), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n")}\n`;
}

export const milliseconds = (seconds: number) => fixed(seconds * 1e3);
export const giga = (rate: number) => fixed(rate / 1e9);
export const percent = (share: number) => `${fixed(share * 100)} %`;

/** Three digits that count, and never an exponent. */
function fixed(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}
