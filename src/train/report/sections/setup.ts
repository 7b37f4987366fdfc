/** @file How the model reads its input, what the run was told, what it ran on and what it took. */
import { formatBytes } from "../../../gpu/errors.ts";
import { serialiseRecipe } from "../../../model/stored-recipe.ts";
import { decimal, type Html, html, whole } from "../html.ts";
import type { ReportInput } from "../input.ts";
import { columns, details, type Section, table } from "../parts.ts";

export function setupSection(input: ReportInput): Section {
  const { run } = input;
  const settings = Object.entries(run.options).filter(([, value]) => value !== null);
  const unset = Object.entries(run.options).filter(([, value]) => value === null);
  return {
    id: "setup",
    title: "Recipe and settings",
    body: html`<h3>How the model reads its input</h3>
<p>Stored in config.json under <code>rmtrain</code>; scoring follows it. A reward read from another position, or without the ending that it was trained with, is another number.</p>
${table(
  "Input recipe",
  columns("recipe", "value"),
  Object.entries(serialiseRecipe(input.recipe)).map(([name, value]) => [name, show(value)]),
)}
<h3>What the run was told</h3>
<p>As run.json holds it: <code>rmtrain train --config ${input.out}/run.json</code> runs it again.</p>
${table(
  "Options",
  columns("option", "value"),
  settings.map(([name, value]) => [name, show(value)]),
)}
${unset.length > 0 && html`<p>Not given: ${unset.map(([name]) => name).join(", ")}.</p>`}
<h3>What it ran on, and what it took</h3>
${table("Device, versions and cost", columns("what", "value"), [
  ["adapter", run.adapter],
  ["variants of kernels", run.variants],
  ...Object.entries(run.versions),
  ...cost(input),
])}
${details("Hashes of the files (SHA-256)", hashes(input))}`,
  };
}

function cost({ cost: c }: ReportInput): [string, string][] {
  if (c === undefined) return [];
  const { computed, padded } = c.tokens;
  const tokens =
    computed === 0
      ? "none: all features came from the cache"
      : `${whole(computed)}; padded batches would have computed ${whole(padded)}`;
  return [
    ["tokens computed", tokens],
    ...(c.featureSeconds > 0
      ? [["backbone", `${decimal(c.featureSeconds, 1)} s`] satisfies [string, string]]
      : []),
    ["training", `${decimal(c.trainSeconds, 1)} s`],
    [
      "most on the device",
      c.predictedBytes === undefined
        ? formatBytes(c.peakBytes)
        : `${formatBytes(c.peakBytes)}; ${formatBytes(c.predictedBytes)} were expected`,
    ],
  ];
}

function hashes({ run }: ReportInput): Html {
  const files = { ...run.base.files, ...run.data.train.files, ...run.data.eval?.files };
  return table(
    "Hashes",
    columns("file", "SHA-256"),
    Object.entries(files).map(([name, hash]) => [name, hash ?? "standard input: not kept"]),
  );
}

const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
