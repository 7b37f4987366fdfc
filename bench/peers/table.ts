/** @file The standings as Markdown. */
import type { Standing } from "../lib/interleave.ts";

/** One contestant in one case. */
export interface Cell {
  readonly contestant: string;
  readonly standing: Standing;
  /** Relative L2 distance of its results from those of the first. */
  readonly error: number;
}

export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly flops: number;
  readonly bytes: number | undefined;
  /** Timed runs of each contestant. */
  readonly rounds: number;
  readonly cells: readonly Cell[];
  /** Contestants that could not take part, and why. */
  readonly absent: readonly string[];
}

const ms = (seconds: number) => fixed(1e3 * seconds);

/** Three digits, without an exponent. */
const fixed = (n: number) => n.toFixed(n >= 100 ? 0 : n >= 10 ? 1 : 2);

/** Times of every contestant, and how many times as long as the first each took. */
export function timesTable(rows: readonly Row[]): string {
  const lines = [
    "| case | contestant | median ms | quartiles | best | GFLOP/s | GB/s | times ours | error |",
    "|---|---|---:|---|---:|---:|---:|---:|---:|",
  ];
  for (const { name, shape, flops, bytes = 0, rounds, cells, absent } of rows) {
    const title = `${name}: ${shape} (${rounds} rounds)`;
    const ours = cells[0]?.standing.median ?? Number.NaN;
    for (const [i, { contestant, standing, error }] of cells.entries()) {
      const { median, low, high, best } = standing;
      const rate = (work: number) => (work === 0 ? "" : fixed(work / median / 1e9));
      const columns = [
        ...[i === 0 ? title : "", contestant, ms(median), `${ms(low)} to ${ms(high)}`, ms(best)],
        ...[rate(flops), rate(bytes), (median / ours).toFixed(2), i === 0 ? "" : error.toExponential(1)],
      ];
      lines.push(`| ${columns.join(" | ")} |`);
    }
    for (const why of absent) lines.push(`| | ${why} | | | | | | | |`);
  }
  return lines.join("\n");
}
