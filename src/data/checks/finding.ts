/** @file One thing that the check found in the data, as the command line, the report and `--json` show it. */

/** What a finding asks for: the run would be ruined, or may be; or it is worth knowing. */
export type Severity = "error" | "warning" | "note";

/** The records that are trained on, and those that are held out. */
export type SetName = "training" | "held-out";

export interface Finding {
  /** The check's name in kebab-case; stable, for scripts. */
  readonly check: string;
  readonly severity: Severity;
  /** Where it was found; absent where it concerns both sets, or the data as a whole. */
  readonly set?: SetName;
  /** One line: what was found, with its count, and what to do. */
  readonly message: string;
  /** How many records (or sides, or tokens: the message says) it was found in. */
  readonly count: number;
  /** Rows where it was found, "file:line", at most five. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

/**
 * The finding of `rows`; none where there are none.
 * @param rows "file:line", one for each that counts; a row that counts twice is shown once
 */
export function findingOf(
  check: string,
  severity: Severity,
  rows: readonly string[],
  message: string,
  set?: SetName,
): Finding[] {
  if (rows.length === 0) return [];
  const examples = [...new Set(rows)].slice(0, EXAMPLES);
  return [{ check, severity, ...(set === undefined ? {} : { set }), message, count: rows.length, examples }];
}

/** "1 pair", "2 pairs". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** One line: severity, what was found, the check's name, example rows. */
export function findingLine({ severity, message, check, examples }: Finding): string {
  return `${severity}: ${message} [${[check, ...rowsByFile(examples)].join("; ")}]`;
}

/** "a.jsonl:1, 5", "b.jsonl:2": a file's name stands once. */
export function rowsByFile(rows: readonly string[]): string[] {
  const files = new Map<string, string[]>();
  for (const row of rows) {
    const [, file = row, line = ""] = /^(.*):([^:]*)$/s.exec(row) ?? [];
    const lines = files.get(file);
    if (lines === undefined) files.set(file, [line]);
    else lines.push(line);
  }
  return [...files].map(([file, lines]) => `${file}:${lines.join(", ")}`);
}

/** Whether `--strict` stops at it. */
export function stopsStrict({ severity }: Finding): boolean {
  return severity !== "note";
}
