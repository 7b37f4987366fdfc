/**
 * @file What the tables of bench/once have in common: a feature on against the same engine with it off, timed in turn,
 * beside what the number of tokens predicts.
 */
import type { Gpu } from "../../src/gpu/gpu.ts";
import { interleave, type Standing } from "../lib/interleave.ts";

export interface Context {
  readonly gpu: Gpu;
  /** Folder of a model, and a file of pairs, to measure in place of a table's own; where the table says so. */
  readonly model: string | undefined;
  readonly data: string | undefined;
}

export type Row = readonly (string | number)[];

export interface Table {
  /** What the command calls it. */
  readonly name: string;
  readonly title: string;
  /** How "off" is done, and how "predicted" is computed. */
  readonly how: string;
  readonly columns: readonly string[];
  /** As they are measured. */
  readonly rows: (context: Context) => AsyncIterable<Row>;
}

/** A way to do the work. */
export interface Way {
  /** What it costs by the table's own count: tokens, or passes over them. */
  readonly cost: number;
  /** Seconds. */
  readonly run: () => Promise<number>;
}

export interface Comparison {
  readonly off: Standing;
  readonly on: Standing;
  readonly predicted: number;
  readonly measured: number;
}

const rounds = 3;

/**
 * The first way against each of the others.
 * @param warmup rounds that don't count; none where all pipelines and buffers are there
 */
export async function compare(off: Way, ways: readonly Way[], warmup = 1): Promise<Comparison[]> {
  const contestants = [off, ...ways].map(({ run }, n) => ({ name: `way ${n}`, run }));
  const [first, ...others] = await interleave(contestants, { rounds, warmup });
  return others.map((on, n) => ({
    off: first!,
    on,
    predicted: off.cost / ways[n]!.cost,
    measured: first!.median / on.median,
  }));
}

/** The columns of `comparisonCells`. */
export const comparisonColumns = ["off, ms", "on, ms", "predicted", "measured", "of the prediction"] as const;

export const comparisonCells = ({ off, on, predicted, measured }: Comparison) => [
  spread(off),
  spread(on),
  `${predicted.toFixed(2)}×`,
  `${measured.toFixed(2)}×`,
  `${((100 * measured) / predicted).toFixed(0)} %`,
];

/** Median and quartiles, in milliseconds. */
export function spread({ median, low, high }: Standing): string {
  const [middle, from, to] = [median, low, high].map((seconds) => (1e3 * seconds).toFixed(0));
  return `${middle} (${from}–${to})`;
}

export const MiB = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** A line of a Markdown table. */
export const lineOf = (cells: Row): string => `| ${cells.join(" | ")} |`;
