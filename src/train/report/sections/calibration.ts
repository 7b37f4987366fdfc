/** @file Whether margins mean what they say: the reliability diagram and its summary numbers. */
import * as Plot from "@observablehq/plot";
import type { Calibration } from "../../calibration.ts";
import { decimal, type Html, html, percent, percentRange, plural, whole } from "../html.ts";
import { columns, figure, type Section, table } from "../parts.ts";
import { colours, plot } from "../plot.ts";
import type { Results } from "../results.ts";

export function calibrationSection(results: Results): Section {
  const { calibration } = results;
  const { bins } = calibration;
  const rows = bins.map((bin) => ({ ...bin }));
  const lowest = Math.min(0.4, ...bins.map((bin) => bin.low));
  const end = Math.min(1, Math.max(0.6, ...bins.map((bin) => bin.confidence)) + 0.02);
  const diagram = figure({
    title: "Reliability: how sure, and how often right",
    legend: [
      ["dot chosen", "pairs of about equal confidence, with 95 % interval"],
      ["dashed reference", "as sure as right"],
    ],
    svg: plot(`Share of right picks against stated confidence, in ${bins.length} bins`, {
      x: { label: "stated confidence σ(|margin|) (%)", domain: [50, 100 * end], percent: true },
      y: { label: "picks that are right (%)", domain: [100 * lowest, 100], grid: true, percent: true },
      marks: [
        Plot.link([0], {
          x1: 0.5,
          y1: 0.5,
          x2: end,
          y2: end,
          stroke: colours.reference,
          strokeDasharray: "4 3",
        }),
        Plot.ruleX(rows, { x: "confidence", y1: "low", y2: "high", stroke: colours.chosen, strokeWidth: 2 }),
        Plot.dot(rows, { x: "confidence", y: "right", fill: colours.chosen, r: 5 }),
      ],
    }),
    reading: [
      "Bradley–Terry reads a margin m as the probability σ(m) = 1/(1 + e⁻ᵐ) that the reply with the higher reward is the better one. Each dot is a bin of about equally many pairs: across, how sure the model says it is of its pick; up, how often the pick is the chosen reply. On the dashed line it is as sure as it is right; below it is too sure.",
      "Each pair counts in both orders, since the chosen reply always comes first in the file; the left half of the diagram would be this one’s mirror image and is not drawn.",
      reading(results),
    ],
    table: table(
      "Reliability by bin",
      columns("bin#", "pairs#", "confidence#", "right#", "95 % interval#"),
      bins.map((bin, i) => [
        i + 1,
        whole(bin.n),
        percent(bin.confidence),
        percent(bin.right),
        percentRange(bin),
      ]),
    ),
  });
  return {
    id: "calibration",
    title: "Does it know how sure to be?",
    body: html`<div class="figures">${diagram}<div>${summary(results)}</div></div>`,
  };
}

function reading({ calibration: { ece, eceByChance } }: Results): string {
  const verdict =
    ece <= 1.5 * eceByChance
      ? "no more than chance explains"
      : "more than chance explains, so the margins are off";
  return `On average the dots lie ${percent(ece)} away from the line (the expected calibration error). With so few pairs a perfectly calibrated model would show about ${percent(eceByChance)} by chance alone: ${verdict}.`;
}

function summary({ calibration: c }: Results): Html {
  const measures: readonly (readonly [name: string, here: string, beside: string, meaning: string])[] = [
    [
      "ECE",
      percent(c.ece),
      `${percent(c.eceByChance)} by chance`,
      `Expected calibration error: the mean distance between confidence and share right, over ${plural(c.bins.length, "bin")} of about equal size. Chance alone gives a perfectly calibrated model the number beside it.`,
    ],
    [
      "Brier score",
      decimal(c.brier, 4),
      "0.2500 at 50\u00a0%",
      "Mean squared error of σ(margin). A model that says 50\u00a0% of everything has 0.25.",
    ],
    [
      "NLL",
      decimal(c.nll, 4),
      "0.6931 at 50\u00a0%",
      "Negative log-likelihood, the mean of −ln σ(margin): the Bradley–Terry loss without the records’ margins and without centering.",
    ],
    ["Temperature", temperature(c.temperature), "1 as it is", temperatureMeaning(c)],
  ];
  return html`<h3>In four numbers</h3>
${table(
  "Calibration in numbers",
  columns("measure", "here#", "to compare with#"),
  measures.map(([name, here, beside]) => [name, here, beside]),
)}
<dl>${measures.map(([name, , , meaning]) => html`<dt>${name}</dt><dd>${meaning}</dd>`)}</dl>
<p>Lower is better for the first three.</p>`;
}

const temperature = (t: number) => (t === 0 ? "0" : decimal(t, 2));

function temperatureMeaning({ temperature: t, nll, nllAtTemperature, n }: Calibration): string {
  if (t === 0)
    return "Every pair is ranked right, so larger margins would always fit better; no finite number fits.";
  if (t === Number.POSITIVE_INFINITY)
    return "The larger the margin, the more often it points the wrong way: the best use of these rewards is none.";
  // Likelihood ratio against T = 1, one degree of freedom: 3.84 is the 95 % point of chi-squared.
  const isClear = 2 * n * (nll - nllAtTemperature) > 3.841;
  const size = t > 1 ? "too large" : "too small";
  const advice = isClear
    ? `the margins are ${size}: divide rewards by this before reading them as probabilities`
    : "it can’t be told from 1 on so many pairs";
  return `By what to divide margins for the least NLL (fitted on these same pairs; NLL after it ${decimal(nllAtTemperature, 4)}). 1 is right; here ${advice}. It changes no ranking.`;
}

/** The verdict's sentence on calibration. */
export function calibrationVerdict({ calibration: c }: Results): Html {
  const gap = c.confidence - c.right;
  const words =
    Math.abs(gap) < 0.02
      ? "about as sure as it should be"
      : gap > 0
        ? "surer than it should be"
        : "less sure than it could be";
  return html`<strong>How sure it is.</strong> Read as probabilities, its margins say that its picks are right ${percent(c.confidence)} of the time; they are in ${percent(c.right)}: ${words}.`;
}
