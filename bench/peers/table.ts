/** @file The standings as Markdown. */
import type { Standing } from "../lib/interleave.ts";

/** One contestant in one case. */
export interface Cell {
  readonly contestant: string;
  readonly standing: Standing;
  /** Relative L2 distance of its results from ours. */
  readonly error: number;
}

export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly flops: number;
  /** Timed runs of each contestant. */
  readonly rounds: number;
  readonly cells: readonly Cell[];
  /** Contestants that do not take part, and why. */
  readonly absent: readonly string[];
}

const ms = (seconds: number) => (1e3 * seconds).toPrecision(3);

/** Times of every contestant, and how many times as long as ours each took. */
export function timesTable(rows: readonly Row[]): string {
  const lines = [
    "| case | contestant | median ms | quartiles | best | GFLOP/s | times ours | error |",
    "|---|---|---:|---|---:|---:|---:|---:|",
  ];
  for (const { name, shape, flops, rounds, cells } of rows) {
    const ours = cells[0]?.standing.median ?? Number.NaN;
    for (const [i, { contestant, standing, error }] of cells.entries()) {
      const { median, low, high, best } = standing;
      const rate = flops === 0 ? "" : (flops / median / 1e9).toFixed(1);
      const title = i === 0 ? `${name}: ${shape} (${rounds} rounds)` : "";
      const off = i === 0 ? "" : error.toExponential(1);
      lines.push(
        `| ${title} | ${contestant} | ${ms(median)} | ${ms(low)} to ${ms(high)} | ${ms(best)} | ${rate} | ${(median / ours).toFixed(2)} | ${off} |`,
      );
    }
  }
  return lines.join("\n");
}
