/** @file The roofline (Williams, Waterman, Patterson 2009): each row's arithmetic rate over its arithmetic per byte, under the two ceilings. */
import * as Plot from "@observablehq/plot";
import type { Html } from "../../train/report/html.ts";
import { plot } from "../../train/report/plot.ts";
import { giga, milliseconds, percent } from "./markdown.ts";
import type { BenchReport } from "./report.ts";

type Row = BenchReport["rows"][number];

/** Kinds of kernels, in the order of the legend; `swatch` is the class of their colour. */
export const families = [
  { swatch: "kind-linear", words: "linear layers and their gradients", names: /^linear/ },
  {
    swatch: "kind-attention",
    words: "attention and what is done to heads",
    names: /^(attention|rotary|head_norm)/,
  },
  {
    swatch: "kind-vocabulary",
    words: "vocabulary",
    names: /^(vocabulary|top_words|cringe_(gradient|sample))/,
  },
  {
    swatch: "kind-rows",
    words: "rows: norms, activations, sums",
    names: /norm|softmax|gelu|swiglu|add$|column|embedding|sum_rows|dropout/,
  },
  { swatch: "kind-other", words: "losses, optimiser", names: /./ },
] as const;

export const familyOf = (name: string) => families.find(({ names }) => names.test(name)) ?? families[4];

/** Rows that no other variant of the same operation beats at the same shape and storage. */
export function fastest(rows: readonly Row[]): ReadonlySet<Row> {
  const best = new Map<string, Row>();
  for (const row of rows) {
    const key = `${row.name.replace(/=\S+/, "")} ${row.shape}`;
    const other = best.get(key);
    if (other === undefined || row.seconds < other.seconds) best.set(key, row);
  }
  return new Set(best.values());
}

export function roofline({ rows, ceilings }: BenchReport): Html {
  const points = rows
    .filter(({ flops }) => flops > 0)
    .map((row) => ({
      row,
      x: row.flops / row.bytes,
      y: row.flopsPerSecond / 1e9,
      colour: `var(--${familyOf(row.name).swatch})`,
    }));
  const best = fastest(rows);
  const intensities = points.map(({ x }) => x);
  const [low, high] = [Math.min(0.1, ...intensities), Math.max(100, ...intensities)];
  const top = ceilings.flopsPerSecond / 1e9;
  const slope = ceilings.bytesPerSecond / 1e9;
  const ridge = top / slope;
  const roof = [
    { x: low, y: low * slope },
    { x: ridge, y: top },
    { x: Math.max(high, 2 * ridge), y: top },
  ];
  const of = (filled: boolean) => points.filter(({ row }) => best.has(row) === filled);
  const channels = { x: "x", y: "y", r: 3, title: ({ row }: (typeof points)[number]) => words(row) } as const;
  return plot("Roofline: arithmetic rate over arithmetic per byte, one point for each row", {
    width: 860,
    height: 520,
    x: { type: "log", label: "FLOP per byte", grid: true, tickFormat: "~g" },
    y: { type: "log", label: "GFLOP/s", grid: true, tickFormat: "~g" },
    marks: [
      Plot.line(roof, { x: "x", y: "y", stroke: "var(--reference)", strokeWidth: 2 }),
      Plot.text([{ x: Math.max(high, 2 * ridge), y: top }], {
        x: "x",
        y: "y",
        text: () => `fma ${giga(ceilings.flopsPerSecond)} GFLOP/s`,
        textAnchor: "end",
        dy: -8,
        fill: "var(--soft)",
      }),
      Plot.text([{ x: low, y: low * slope }], {
        x: "x",
        y: "y",
        text: () => `copy ${giga(ceilings.bytesPerSecond)} GB/s`,
        textAnchor: "start",
        dx: 12,
        dy: 12,
        fill: "var(--soft)",
      }),
      Plot.dot(of(false), { ...channels, stroke: "colour", strokeOpacity: 0.6 }),
      Plot.dot(of(true), { ...channels, fill: "colour", fillOpacity: 0.85 }),
    ],
    color: { type: "identity" },
  });
}

const words = (row: Row) =>
  `${row.name} ${row.shape}: ${milliseconds(row.seconds)} ms, ${giga(row.flopsPerSecond)} GFLOP/s, ${giga(row.bytesPerSecond)} GB/s, ${percent(row.share)} of ${row.limit}`;
