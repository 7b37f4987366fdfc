/** @file The data: how many pairs, what was left out or cut, and what the check found. */
import { type Finding, rowsByFile } from "../../../data/checks/finding.ts";
import { type Html, html, plural, whole } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { columns, list, type Section, table } from "../parts.ts";

const ranks = { error: 0, warning: 1, note: 2 } as const;

export function findingsSection({ findings }: ReportInput): Section {
  const ordered = [...findings].sort((a, b) => ranks[a.severity] - ranks[b.severity]);
  return {
    id: "findings",
    title: "What the check of the data found",
    body:
      ordered.length === 0
        ? html`<p>Nothing: the check ran before training and found nothing to report.</p>`
        : html`<p>Checked before any work on the device. An error ruins a run, a warning may, a note is worth knowing.</p>
${list(ordered.map(finding), "findings")}`,
  };
}

function finding({ check, severity, message, examples }: Finding): Html {
  return html`<strong class="${severity}">${severity}</strong> ${message} <code>${check}</code>${
    examples.length > 0 && html`<br><span class="where">for example ${rowsByFile(examples).join("; ")}</span>`
  }`;
}

export function dataSection({ run }: ReportInput): Section {
  const { train, eval: held, split_by } = run.data;
  type Side = typeof train;
  const cells = (pick: (side: Side) => string) => [pick(train), ...(held === null ? [] : [pick(held)])];
  const used = (side: Side) => side.records - side.dropped - side.identical;
  const cut = ({ truncated: [chosen = 0, rejected = 0] }: Side) => `${whole(chosen)} and ${whole(rejected)}`;
  const files = (side: Side) => Object.keys(side.files).join(", ");
  const unused = [train, ...(held === null ? [] : [held])].reduce((sum, s) => sum + s.records - used(s), 0);
  return {
    id: "data",
    title: "The data",
    body: html`${table("Counts of pairs", columns("", "training#", ...(held === null ? [] : ["held out#"])), [
      ["files", ...cells(files)],
      ["pairs read", ...cells((s) => whole(s.records))],
      ["left out: a side longer than the limit", ...cells((s) => whole(s.dropped))],
      ["left out: both sides the same", ...cells((s) => whole(s.identical))],
      ["pairs used", ...cells((s) => whole(used(s)))],
      ["sides cut, chosen and rejected", ...cells(cut)],
      ["tokens, prompts counted on both sides", ...cells((s) => whole(s.tokens))],
    ])}
<p>How pairs were held out: ${held === null ? "nothing, all pairs were trained on" : split_by}. ${
      unused === 0
        ? "No pair was left out."
        : `${plural(unused, "pair")} took no part; every number in this report is of the pairs used.`
    }</p>`,
  };
}
