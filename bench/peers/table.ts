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

export const timesHeader = [
  "| case | contestant | median ms | quartiles | best | GFLOP/s | GB/s | times ours | error |",
  "|---|---|---:|---|---:|---:|---:|---:|---:|",
].join("\n");

/** Times of every contestant, and how many times as long as the first each took. */
export function timesLines({ name, shape, flops, bytes = 0, rounds, cells, absent }: Row): string {
  const ours = cells[0]?.standing.median ?? Number.NaN;
  const lines = cells.map(({ contestant, standing, error }, i) => {
    const { median, low, high, best } = standing;
    const rate = (work: number) => (work === 0 ? "" : fixed(work / median / 1e9));
    const columns = [
      ...[i === 0 ? `${name}: ${shape} (${rounds} rounds)` : "", contestant],
      ...[ms(median), `${ms(low)} to ${ms(high)}`, ms(best), rate(flops), rate(bytes)],
      ...[(median / ours).toFixed(2), i === 0 ? "" : error.toExponential(1)],
    ];
    return `| ${columns.join(" | ")} |`;
  });
  return [...lines, ...absent.map((why) => `| | ${why} | | | | | | | |`)].join("\n");
}
