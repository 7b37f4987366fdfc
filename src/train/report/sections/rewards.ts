/** @file How rewards and margins are distributed. */
import * as Plot from "@observablehq/plot";
import { quantile, sorted } from "../../../data/quantiles.ts";
import { sigmoid } from "../../calibration.ts";
import type { HeldOut } from "../held-out.ts";
import { type Bins, binsFor, edges, type Tally, tally } from "../histogram.ts";
import { decimal, type Html, html, percent, plural, whole } from "../html.ts";
import { columns, figure, type Section, table } from "../parts.ts";
import { colours, plot } from "../plot.ts";
import type { Results } from "../results.ts";

export function rewardsSection(heldOut: HeldOut, results: Results): Section {
  return {
    id: "rewards",
    title: "Rewards and margins",
    body: html`<div class="figures">${rewardFigure(results)}${marginFigure(heldOut, results)}</div>`,
  };
}

function rewardFigure({ rewards }: Results): Html {
  const { chosen, rejected } = rewards;
  const bins = binsFor([...chosen, ...rejected]);
  const sides = { chosen: tally(chosen, bins), rejected: tally(rejected, bins) };
  const side = (name: "chosen" | "rejected") => [
    Plot.rectY(bars(bins, sides[name]), {
      x1: "from",
      x2: "to",
      y: "count",
      fill: colours[name],
      fillOpacity: 0.22,
    }),
    Plot.line(outline(bins, sides[name]), { x: "x", y: "count", stroke: colours[name], strokeWidth: 2 }),
  ];
  return figure({
    title: "Rewards of chosen and rejected replies",
    legend: [
      ["bar chosen", "chosen"],
      ["bar rejected", "rejected"],
    ],
    svg: plot("Histogram of the rewards of chosen and of rejected replies", {
      x: { label: "reward" },
      y: { label: "replies", grid: true },
      marks: [...side("rejected"), ...side("chosen"), Plot.ruleY([0])],
    }),
    reading: [
      "How many replies got which reward. A good model sets the chosen ones (blue) to the right of the rejected ones (orange). Only differences within a pair count: the loss doesn’t fix where 0 lies, and hard prompts may push both replies down.",
      shiftReading(chosen, rejected),
      ...beyond(sides.chosen.beyond + sides.rejected.beyond, "reward"),
    ],
    table: table(
      "Quantiles of rewards",
      columns("quantile#", "chosen#", "rejected#"),
      quantileRows([sorted(chosen), sorted(rejected)]),
    ),
  });
}

/** By how much the two lie apart, measured in their own width. */
function shiftReading(chosen: Float32Array, rejected: Float32Array): string {
  const [a, b] = [moments(chosen), moments(rejected)];
  const spread = Math.sqrt((a.variance + b.variance) / 2);
  const apart = spread > 0 ? `${decimal((a.mean - b.mean) / spread, 2)} standard deviations` : "nothing";
  return `Chosen replies have the mean ${decimal(a.mean)}, rejected ones ${decimal(b.mean)}: they lie ${apart} apart.`;
}

function moments(values: Float32Array) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length };
}

function marginFigure({ decided }: HeldOut, results: Results): Html {
  const margins = Float64Array.from(decided, (i) => results.margins[i]!);
  const bins = binsFor(margins);
  const counted = tally(margins, bins);
  const ascending = sorted(margins);
  const wrong = margins.filter((m) => m < 0).length;
  return figure({
    title: "Margins: chosen less rejected",
    legend: [
      ["bar chosen", "ranked right"],
      ["bar rejected", "ranked wrong"],
    ],
    svg: plot("Histogram of margins", {
      x: { label: "margin r(chosen) − r(rejected)" },
      y: { label: "pairs", grid: true },
      marks: [
        Plot.rectY(bars(bins, counted), {
          x1: "from",
          x2: "to",
          y: "count",
          fill: (bar: Bar) => (bar.from < 0 ? colours.wrong : colours.right),
          fillOpacity: 0.75,
          insetLeft: 0.5,
          insetRight: 0.5,
        }),
        Plot.ruleX([0], { strokeWidth: 1.5 }),
        Plot.ruleY([0]),
      ],
    }),
    reading: [
      "Each pair’s margin. Right of 0 the chosen reply wins, left of it the rejected one. A hill that sits on 0 means that the model has no opinion on most pairs; a long left tail, that it is sure and wrong about some.",
      `The mean margin is ${decimal(margins.reduce((sum, m) => sum + m, 0) / margins.length)}, the median ${decimal(quantile(ascending, 0.5))}; ${plural(wrong, "pair")} of ${whole(margins.length)} (${percent(wrong / margins.length)}) lie left of 0.`,
      ...beyond(counted.beyond, "margin"),
    ],
    table: table(
      "Quantiles of margins",
      columns("quantile#", "margin#", "σ(margin)#"),
      quantileRows([ascending, ascending.map(sigmoid)]),
    ),
  });
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

function bars(bins: Bins, { counts }: Tally): Bar[] {
  return Array.from(counts, (count, i) => ({ ...edges(bins, i), count })).filter((bar) => bar.count > 0);
}

/** The steps along the tops of all bars. */
function outline(bins: Bins, { counts }: Tally): { readonly x: number; readonly count: number }[] {
  const steps = Array.from(counts, (count, i) => {
    const { from, to } = edges(bins, i);
    return [
      { x: from, count },
      { x: to, count },
    ];
  }).flat();
  return [{ x: steps[0]?.x ?? 0, count: 0 }, ...steps, { x: steps.at(-1)?.x ?? 0, count: 0 }];
}

const shares = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1];

function quantileRows(series: readonly Float64Array[]): string[][] {
  const name = (q: number) => (q === 0 ? "least" : q === 0.5 ? "median" : q === 1 ? "most" : percent(q, 0));
  return shares.map((q) => [name(q), ...series.map((ascending) => decimal(quantile(ascending, q)))]);
}

function beyond(count: number, noun: string): string[] {
  if (count === 0) return [];
  return [
    `${plural(count, noun)} far from the rest are counted in the outermost bars; the table has the extremes.`,
  ];
}
