/** @file Loss and accuracy over the steps. */
import * as Plot from "@observablehq/plot";
import type { EvalLine, TrainLine } from "../../metrics.ts";
import { decimal, type Html, html, percent, plural } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { columns, details, figure, type Section, table } from "../parts.ts";
import { colours, plot } from "../plot.ts";
import type { Results } from "../results.ts";

/** Most points of a curve, most rows of its table. */
const MOST_POINTS = 300;
const MOST_ROWS = 60;

export function curvesSection(input: ReportInput, results: Results | undefined): Section {
  return { id: "curves", title: "How training went", body: curves(input, results) };
}

function curves(input: ReportInput, results: Results | undefined): Html {
  const { trainLines, evalLines } = input;
  if (trainLines.length === 0 && evalLines.length === 0) return html`<p>No step has been logged yet.</p>`;
  const train = thin(trainLines, MOST_POINTS);
  const evals = every(evalLines, MOST_POINTS);
  const marked = results && { step: results.step, label: markLabel(input) };
  return html`<div class="figures">${lossFigure(train, evals, marked, trainLines.length)}${accuracyFigure(input, train, evals, marked)}</div>
${details("All logged values", logTables(input))}`;
}

type Marked = { readonly step: number; readonly label: string } | undefined;

const markLabel = ({ status }: ReportInput) => (status.state === "finished" ? "kept" : "latest evaluation");

const legend = (marked: Marked): [string, string][] => [
  ["line train", "training pairs"],
  ["line rejected", "held-out pairs"],
  ...(marked === undefined
    ? []
    : [["dashed chosen", `step ${marked.step}: ${marked.label}`] as [string, string]]),
];

/** Curves of the training and the held-out pairs over one level that means nothing was learned. */
function marks(
  train: readonly TrainLine[],
  evals: readonly EvalLine[],
  name: "loss" | "accuracy",
  level: number,
  marked: Marked,
) {
  const held = `eval_${name}` as const;
  return [
    Plot.ruleY([level], { stroke: colours.reference, strokeDasharray: "4 3" }),
    ...(marked === undefined
      ? []
      : [Plot.ruleX([marked.step], { stroke: colours.chosen, strokeDasharray: "2 3" })]),
    Plot.lineY(train, { x: "step", y: name, stroke: colours.train, strokeWidth: 1.5 }),
    Plot.lineY(evals, { x: "step", y: held, stroke: colours.rejected, strokeWidth: 2 }),
    Plot.dot(evals.length > 60 ? [] : evals, { x: "step", y: held, fill: colours.rejected, r: 3 }),
  ];
}

function lossFigure(
  train: readonly TrainLine[],
  evals: readonly EvalLine[],
  marked: Marked,
  logged: number,
): Html {
  const each = Math.ceil(logged / MOST_POINTS);
  return figure({
    title: "Loss",
    legend: legend(marked),
    svg: plot("Loss by step, of training and held-out pairs", {
      x: { label: "step" },
      y: { label: "loss (nats)", grid: true, nice: true },
      marks: marks(train, evals, "loss", Math.LN2, marked),
    }),
    reading: [
      "Lower is better. Dashed: ln 2 = 0.693, where a model stands that gives all replies the same reward. Held-out loss that rises while training loss falls is overfitting: the model grows surer of pairs it has seen.",
      lossReading(evals),
      ...(each > 1 ? [`Each point of the training curve is the mean of ${each} logged lines.`] : []),
    ],
    table: curveTable(train, evals, "loss", (v) => decimal(v, 4)),
  });
}

function lossReading(evals: readonly EvalLine[]): string {
  const [first, last] = [evals.at(0), evals.at(-1)];
  if (first === undefined || last === undefined)
    return "No pairs were held out, so there is no second curve.";
  const least = evals.reduce((a, b) => (b.eval_loss < a.eval_loss ? b : a));
  const end =
    last.step === least.step
      ? "the last evaluation"
      : `since then it has risen to ${decimal(last.eval_loss, 4)} at step ${last.step}`;
  return `Held-out loss is lowest at step ${least.step} (${decimal(least.eval_loss, 4)}): ${end}.`;
}

function accuracyFigure(
  input: ReportInput,
  train: readonly TrainLine[],
  evals: readonly EvalLine[],
  marked: Marked,
): Html {
  return figure({
    title: "Accuracy",
    legend: legend(marked),
    svg: plot("Accuracy by step, of training and held-out pairs", {
      x: { label: "step" },
      y: { label: "pairs ranked right (%)", grid: true, nice: true, percent: true },
      marks: marks(train, evals, "accuracy", 0.5, marked),
    }),
    reading: [
      "Share of pairs whose chosen reply has the higher reward. Dashed: 50\u00a0%, guessing. Small batches make the training curve jump; the held-out curve always uses the same pairs, but differences within its interval mean little.",
      accuracyReading(input, evals),
    ],
    table: curveTable(train, evals, "accuracy", (v) => percent(v)),
  });
}

function accuracyReading({ heldOut }: ReportInput, evals: readonly EvalLine[]): string {
  if (heldOut === undefined || evals.length === 0)
    return "No pairs were held out, so there is no second curve.";
  const best = evals.reduce((a, b) => (b.eval_accuracy > a.eval_accuracy ? b : a));
  const error = Math.sqrt((best.eval_accuracy * (1 - best.eval_accuracy)) / heldOut.pairs.length);
  return `Held-out accuracy is highest at step ${best.step} (${percent(best.eval_accuracy)}); one standard error on ${plural(heldOut.pairs.length, "pair")} is ${percent(error)}.`;
}

function curveTable(
  train: readonly TrainLine[],
  evals: readonly EvalLine[],
  name: "loss" | "accuracy",
  show: (value: number) => string,
): Html {
  const rows = [
    ...thin(train, MOST_ROWS).map((line) => ({ step: line.step, of: "training", value: line[name] })),
    ...every(evals, MOST_ROWS).map((line) => ({
      step: line.step,
      of: "held out",
      value: line[`eval_${name}`],
    })),
  ].sort((a, b) => a.step - b.step);
  return table(
    `${name} by step`,
    columns("step#", "pairs", `${name}#`),
    rows.map((row) => [row.step, row.of, show(row.value)]),
  );
}

function logTables({ trainLines, evalLines }: ReportInput): Html {
  const train = thin(trainLines, MOST_ROWS);
  const evals = every(evalLines, MOST_ROWS);
  const thinned = train.length < trainLines.length || evals.length < evalLines.length;
  return html`${thinned && html`<p>Thinned out here; metrics.jsonl has every line.</p>`}
${table(
  "Training lines",
  columns(
    "step#",
    "epoch#",
    "loss#",
    "accuracy#",
    "margin#",
    "mean reward#",
    "gradient norm#",
    "learning rate#",
  ),
  train.map((l) => [
    l.step,
    decimal(l.epoch, 2),
    decimal(l.loss, 4),
    percent(l.accuracy),
    decimal(l.margin),
    decimal(l.mean_reward),
    decimal(l.grad_norm),
    l.learning_rate.toExponential(2),
  ]),
)}
${table(
  "Evaluation lines",
  columns("step#", "epoch#", "loss#", "accuracy#", "margin#", "mean reward#"),
  evals.map((l) => [
    l.step,
    decimal(l.epoch, 2),
    decimal(l.eval_loss, 4),
    percent(l.eval_accuracy),
    decimal(l.eval_margin),
    decimal(l.eval_mean_reward),
  ]),
)}`;
}

/** At most `most` lines, each the mean of as many neighbours; its step is the last one's, as in metrics.jsonl. */
export function thin(lines: readonly TrainLine[], most: number): TrainLine[] {
  const each = Math.ceil(lines.length / most);
  if (each <= 1) return [...lines];
  const groups: TrainLine[] = [];
  for (let i = 0; i < lines.length; i += each) {
    const group = lines.slice(i, i + each);
    const last = group.at(-1)!;
    const mean = (name: "loss" | "accuracy" | "margin" | "mean_reward" | "grad_norm") =>
      group.reduce((sum, line) => sum + line[name], 0) / group.length;
    groups.push({
      ...last,
      loss: mean("loss"),
      accuracy: mean("accuracy"),
      margin: mean("margin"),
      mean_reward: mean("mean_reward"),
      grad_norm: mean("grad_norm"),
    });
  }
  return groups;
}

/** Every k-th of the lines, and the last. */
function every<T>(lines: readonly T[], most: number): T[] {
  const each = Math.ceil(lines.length / most);
  return lines.filter((_, i) => i % each === 0 || i === lines.length - 1);
}
