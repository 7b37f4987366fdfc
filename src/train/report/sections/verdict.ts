/** @file The verdict: what the accuracy is, and what it is worth beside guessing and beside the length of replies. */
import * as Plot from "@observablehq/plot";
import { wilson } from "../../../data/null-baselines.ts";
import { type Html, html, percent, percentRange, plural, whole } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { columns, figure, list, type Section, table } from "../parts.ts";
import { colours, plot } from "../plot.ts";
import type { Results } from "../results.ts";
import { calibrationVerdict } from "./calibration.ts";

export function verdictSection(input: ReportInput, results: Results | undefined): Section {
  return { id: "verdict", title: "What this run says", body: verdict(input, results) };
}

function verdict(input: ReportInput, results: Results | undefined): Html {
  if (input.heldOut === undefined) {
    return html`<p class="headline">No pairs were held out.</p>
<p>Nothing here says how the model does on pairs that it has not seen: training loss and accuracy fall and rise on any data. Hold pairs out with <code>--eval-split 0.1</code> or <code>--eval-data FILE</code>.</p>`;
  }
  if (input.heldOut.decided.length === 0) {
    return html`<p class="headline">No held-out pair has a better reply.</p>
<p>Their labels are all one half, so there is nothing to rank right or wrong.</p>`;
  }
  if (results === undefined) {
    return html`<p class="headline">Not evaluated yet.</p>
<p>${plural(input.heldOut.pairs.length, "pair")} held out; the first evaluation is still to come.</p>`;
  }
  const { accuracy } = results;
  return html`<p class="headline"><strong>${percent(accuracy.accuracy)}</strong> of ${whole(accuracy.n)} held-out pairs ranked right <span class="interval">(95\u00a0% interval ${percentRange(accuracy)})</span></p>
<p class="conclusion">${conclusion(results)}</p>
<div class="figures">${list(points(input, results))}${comparison(input, results)}</div>`;
}

/** The two questions in one sentence: is it more than guessing, is it more than the length rule? */
export function conclusion({ accuracy, overRule, rule }: Results): string {
  const ruleName = `“the ${rule.name} reply is better”`;
  if (accuracy.high < 0.5) {
    return "The model ranks pairs the wrong way round more often than not: look for chosen and rejected being swapped in one of the files.";
  }
  if (accuracy.low <= 0.5)
    return "On so many pairs this can’t be told apart from guessing: its interval holds 50\u00a0%.";
  if (overRule.low > 0)
    return `It is better than guessing, and better than ${ruleName} on the same pairs: it has learned something other than length.`;
  if (overRule.high < 0)
    return `It is better than guessing, but ${ruleName} does better still: a rule that only counts characters beats it.`;
  return `It is better than guessing, but can’t be told apart from ${ruleName}: it may have learned nothing but length.`;
}

function points(input: ReportInput, results: Results): Html[] {
  const { accuracy, metrics, overRule, rule } = results;
  const right = Math.round(accuracy.accuracy * accuracy.n);
  const ties =
    accuracy.ties === 0
      ? "No pair is a tie."
      : `${plural(accuracy.ties, "pair")} got equal rewards and count as wrong.`;
  const said = [
    html`<strong>What the number is.</strong> In ${whole(right)} of ${whole(accuracy.n)} pairs the model gives the chosen reply the higher reward. ${ties} Of intervals made this way 95 in 100 hold the true share of such pairs.`,
    html`<strong>Against guessing.</strong> A coin gets 50\u00a0%. ${againstGuessing(results)}`,
    html`<strong>Against length.</strong> “Always the longer reply” gets ${percent(input.heldOut?.baselines.longer ?? Number.NaN)}, “always the shorter” ${percent(input.heldOut?.baselines.shorter ?? Number.NaN)}. Pair by pair the model is right ${points100(overRule.mean)} than “always the ${rule.name}” (95 % interval ${signed(overRule.low)} to ${signed(overRule.high)}). The rule was picked as the better of the two on these same pairs, which favours it a little.`,
    html`<strong>Loss.</strong> ${lossPoint(input, metrics.loss)}`,
    calibrationVerdict(results),
    ...overfitting(input, results),
    ...selection(input, results),
  ];
  return said;
}

function againstGuessing({ accuracy }: Results): string {
  if (accuracy.low > 0.5) return "The whole interval lies above it.";
  if (accuracy.high < 0.5) return "The whole interval lies below it.";
  const distance = Math.abs(accuracy.accuracy - 0.5);
  const needed = Math.ceil((1.959963984540054 / (2 * distance)) ** 2);
  return distance > 0 && needed < 1e6
    ? `The interval holds it; if the true share is ${percent(accuracy.accuracy)}, telling it from 50\u00a0% takes about ${whole(needed)} pairs.`
    : "The interval holds it.";
}

function lossPoint({ run }: ReportInput, loss: number): string {
  const centred = Number(run.options.center_rewards_coefficient ?? 0) > 0;
  const level =
    loss < Math.LN2
      ? "below"
      : loss > Math.LN2
        ? "above: it is sure of itself in the wrong places, and"
        : "at";
  return `${loss.toFixed(4)}, where a model that gives all replies the same reward has ln 2 = 0.6931${
    centred ? " (here with the centering term)" : ""
  }: ${level === "below" ? "below it: the margins gain more where they are right than they lose where they are wrong" : level === "at" ? "exactly that" : `${level} smaller margins would have cost less`}.`;
}

/** Where training pairs are ranked far better than held-out ones. */
function overfitting({ trainLines }: ReportInput, { accuracy, step }: Results): Html[] {
  const near = trainLines.filter((line) => line.step <= step).at(-1) ?? trainLines.at(0);
  if (near === undefined || near.accuracy <= Math.max(accuracy.high, accuracy.accuracy + 0.05)) return [];
  return [
    html`<strong>Training pairs.</strong> At step ${near.step} the model ranked ${percent(near.accuracy)} of the training pairs right. What lies between that and ${percent(accuracy.accuracy)} holds for the training pairs alone.`,
  ];
}

function selection({ status, evalLines }: ReportInput, { step }: Results): Html[] {
  if (status.state !== "finished" || evalLines.length < 2) return [];
  return [
    html`<strong>A little too good.</strong> Step ${step} was kept as the best of ${evalLines.length} evaluations on these same pairs, so its numbers flatter it slightly. Pairs that had no part in the choice give an unbiased number.`,
  ];
}

const signed = (share: number) => `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(1)}`;
const points100 = (share: number) =>
  Math.abs(share) < 0.0005
    ? "exactly as often"
    : `${(100 * Math.abs(share)).toFixed(1)} points ${share > 0 ? "more" : "less"} often`;

function comparison({ heldOut }: ReportInput, { accuracy }: Results): Html {
  const { longer = Number.NaN, shorter = Number.NaN } = heldOut?.baselines ?? {};
  const n = accuracy.n;
  const rows = [
    { name: "This model", share: accuracy.accuracy, ...wilson(accuracy.accuracy * n, n) },
    { name: "Always the longer", share: longer, ...wilson(longer * n, n) },
    { name: "Always the shorter", share: shorter, ...wilson(shorter * n, n) },
  ];
  const fill = (row: { readonly name: string }) =>
    row.name === "This model" ? colours.chosen : colours.reference;
  return figure({
    title: "Accuracy beside the rules that need no model",
    svg: plot("Accuracy of the model and of two length rules, with 95 % intervals, against 50 %", {
      height: 170,
      marginLeft: 140,
      x: { label: "pairs ranked right (%)", domain: percentDomain(rows), grid: true, percent: true },
      y: { label: null, domain: rows.map((row) => row.name) },
      marks: [
        Plot.ruleX([0.5], { stroke: colours.reference, strokeDasharray: "4 3" }),
        Plot.link(rows, { x1: "low", x2: "high", y1: "name", y2: "name", stroke: fill, strokeWidth: 3 }),
        Plot.dot(rows, { x: "share", y: "name", fill, r: 6 }),
      ],
    }),
    reading: [
      "Dot: share ranked right. Bar: its 95 % interval. Dashed: guessing. A model that only learned length stands where its length rule stands.",
    ],
    table: table(
      "Accuracy of model and rules",
      columns("what", "accuracy#", "95 % interval#"),
      rows.map((row) => [row.name, percent(row.share), percentRange(row)]),
    ),
  });
}

/** Whole tenths around all intervals and one half, in percent. */
export function percentDomain(
  rows: readonly { readonly low: number; readonly high: number }[],
): [number, number] {
  const low = Math.min(0.4, ...rows.map((row) => row.low));
  const high = Math.max(0.6, ...rows.map((row) => row.high));
  return [10 * Math.floor(low * 10), 10 * Math.ceil(high * 10)];
}
