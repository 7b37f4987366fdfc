/** @file The whole report as one page: no script, no network, nothing beside it. */
import { basename } from "node:path";
import { Html, html, percent, plural, whole } from "./html.ts";
import type { ReportInput } from "./input.ts";
import { type Section, section } from "./parts.ts";
import { type Results, resultsOf } from "./results.ts";
import { fieldsSection, lengthSection } from "./sections/accuracy-by.ts";
import { calibrationSection } from "./sections/calibration.ts";
import { curvesSection } from "./sections/curves.ts";
import { dataSection, findingsSection } from "./sections/data.ts";
import { nextSection } from "./sections/next.ts";
import { pairsSection } from "./sections/pairs.ts";
import { rewardsSection } from "./sections/rewards.ts";
import { setupSection } from "./sections/setup.ts";
import { verdictSection } from "./sections/verdict.ts";
import { style } from "./style.ts";

/** Nothing is loaded and nothing runs; styles stand in the page itself. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** A report as an HTML document. */
export function renderReport(input: ReportInput): string {
  const results =
    input.heldOut === undefined || input.rewards === undefined || input.heldOut.decided.length === 0
      ? undefined
      : resultsOf(
          input.heldOut,
          input.rewards.step,
          input.rewards.pairs,
          Number(input.run.options.center_rewards_coefficient ?? 0),
          input.objective,
        );
  const sections = sectionsOf(input, results);
  const title = `Reward model ${basename(input.out)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}${results && `: ${percent(results.accuracy.accuracy)}`}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#verdict">Skip to the verdict</a>
<header>
<p class="kicker">rmtrain training report</p>
<h1>${title}</h1>
<p class="about">${about(input)}</p>
${statusLine(input)}
<nav aria-label="Sections"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(section)}</main>
</body>
</html>
`;
  return page.text;
}

function sectionsOf(input: ReportInput, results: Results | undefined): Section[] {
  const { heldOut } = input;
  const evaluated =
    heldOut === undefined || results === undefined
      ? [withoutEvaluation(input)]
      : [
          rewardsSection(heldOut, results),
          calibrationSection(results),
          lengthSection(heldOut, results),
          fieldsSection(heldOut, results),
          pairsSection(heldOut, results),
        ];
  return [
    verdictSection(input, results),
    findingsSection(input),
    curvesSection(input, results),
    ...evaluated,
    dataSection(input),
    setupSection(input),
    nextSection(input),
  ];
}

function withoutEvaluation({ heldOut }: ReportInput): Section {
  const why =
    heldOut === undefined
      ? "No pairs were held out"
      : heldOut.decided.length === 0
        ? "No held-out pair has a better reply"
        : "There has been no evaluation yet";
  return {
    id: "rewards",
    title: "Rewards, margins, calibration, pairs",
    body: html`<p>${why}, so there are no rewards to show.</p>`,
  };
}

function about({ run }: ReportInput): Html {
  const { train, eval: held } = run.data;
  const files = (side: typeof train) => Object.keys(side.files).map((file) => html`<code>${file}</code>`);
  return html`Base <code>${String(run.options.model)}</code>, trained on ${plural(train.records, "pair")} of ${files(train)}${
    held !== null &&
    html`, with ${whole(held.records)} held out${String(run.options.eval_data ?? "") !== "" && html` (${files(held)})`}`
  }`;
}

function statusLine({ status, evalLines }: ReportInput): Html {
  switch (status.state) {
    case "finished":
      return html`<p class="status finished">Finished after ${plural(status.steps, "step")}. ${
        evalLines.length > 0
          ? `The saved model, which all numbers are of, is that of step ${status.savedStep}.`
          : `The saved model is that of the last step.`
      }</p>`;
    case "running":
      return html`<p class="status running">Running: step ${whole(status.step)} of ${whole(status.totalSteps)}, written at ${status.at.toISOString().slice(0, 19).replace("T", " ")} UTC. The numbers are those of the latest evaluation; reload for newer ones. If nothing has changed for long, the run was ended from outside.</p>`;
    case "stopped":
      return html`<p class="status stopped">Stopped at step ${whole(status.step)} of ${whole(status.totalSteps)}: ${status.reason}</p>`;
  }
}
