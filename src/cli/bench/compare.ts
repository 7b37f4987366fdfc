/** @file Two benchmarks beside each other: row by row where both have it, and what else differs between them. */
import type { BenchReport } from "./report.ts";

export interface ComparedRow {
  readonly name: string;
  readonly shape: string;
  /** Seconds. */
  readonly before: number;
  readonly after: number;
  /** before / after: above 1 is faster. */
  readonly speedup: number;
  /** The same of the shares of each run's own ceilings, which a busy machine lowers too. */
  readonly shareRatio: number;
  /** The runs' quartiles don't overlap. */
  readonly apart: boolean;
}

export interface Comparison {
  /** What both runs depend on: [what, before, after], also where it is equal. */
  readonly settings: readonly (readonly [string, string, string])[];
  /** Whether adapter, machine, precision and versions are the same, so that time is all that lies between the runs. */
  readonly sameSetting: boolean;
  /** Ceilings after / before. */
  readonly fmaRatio: number;
  readonly copyRatio: number;
  readonly rows: readonly ComparedRow[];
  /** "name shape" of rows that only one of both has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Geometric mean of the rows' speedups; 1 without rows. */
  readonly meanSpeedup: number;
}

const key = ({ name, shape }: { readonly name: string; readonly shape: string }) => `${name} ${shape}`;

export function compare(before: BenchReport, after: BenchReport): Comparison {
  const old = new Map(before.rows.map((row) => [key(row), row]));
  const now = new Set(after.rows.map(key));
  const rows = after.rows.flatMap((row): ComparedRow[] => {
    const was = old.get(key(row));
    if (was === undefined) return [];
    return [
      {
        name: row.name,
        shape: row.shape,
        before: was.seconds,
        after: row.seconds,
        speedup: was.seconds / row.seconds,
        shareRatio: row.share / was.share,
        apart: row.high < was.low || row.low > was.high,
      },
    ];
  });
  const settings = settingsOf(before, after);
  const logs = rows.reduce((sum, { speedup }) => sum + Math.log(speedup), 0);
  return {
    settings,
    sameSetting: settings.every(([what, a, b]) => what === "date" || a === b),
    fmaRatio: after.ceilings.flopsPerSecond / before.ceilings.flopsPerSecond,
    copyRatio: after.ceilings.bytesPerSecond / before.ceilings.bytesPerSecond,
    rows,
    onlyBefore: before.rows.map(key).filter((row) => !now.has(row)),
    onlyAfter: after.rows.map(key).filter((row) => !old.has(row)),
    meanSpeedup: rows.length === 0 ? 1 : Math.exp(logs / rows.length),
  };
}

function settingsOf(before: BenchReport, after: BenchReport): [string, string, string][] {
  const names = [...new Set([...Object.keys(before.versions), ...Object.keys(after.versions)])];
  return [
    ["adapter and driver", before.adapter, after.adapter],
    ["machine", before.machine, after.machine],
    ["precision", before.precision, after.precision],
    ...names.map((name): [string, string, string] => [
      name,
      before.versions[name] ?? "none",
      after.versions[name] ?? "none",
    ]),
    ["date", before.date, after.date],
  ];
}
