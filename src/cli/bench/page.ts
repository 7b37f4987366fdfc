/** @file The benchmark as one HTML page: the roofline, and every figure in tables; no script, no network. */
import { Html, html } from "../../train/report/html.ts";
import { columns, details, figure, list, type Section, section, table } from "../../train/report/parts.ts";
import { style } from "../../train/report/style.ts";
import type { Comparison } from "./compare.ts";
import { giga, milliseconds } from "./markdown.ts";
import type { BenchReport } from "./report.ts";
import { families, fastest, roofline } from "./roofline.ts";
import { ceilingRows, kernelColumns, kernelRows, overheadRows, remarks } from "./tables.ts";

/** Nothing is loaded and nothing runs; styles stand in the page itself. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const light = {
  linear: "#1f63b5",
  attention: "#b9500b",
  vocabulary: "#7a3fa8",
  rows: "#1d6b3a",
  other: "#7d858e",
};
const dark = {
  linear: "#74b0f4",
  attention: "#f2994a",
  vocabulary: "#c79bf0",
  rows: "#7bcf98",
  other: "#8f98a1",
};
const variables = (colours: Readonly<Record<string, string>>) =>
  Object.entries(colours)
    .map(([kind, colour]) => `--kind-${kind}: ${colour};`)
    .join(" ");
const kinds = `
:root { ${variables(light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(dark)} } }
${families.map(({ swatch }) => `.swatch.${swatch} { color: var(--${swatch}); }`).join("\n")}
figure.wide, .wide figure { max-width: none; }
`;

export function benchPage(report: BenchReport, comparison?: Comparison): string {
  const sections = [
    rooflineSection(report),
    ceilingSection(report),
    rowSection(report),
    ...(comparison === undefined ? [] : [comparisonSection(comparison)]),
    ...(report.leftOut.length === 0 ? [] : [leftOutSection(report)]),
  ];
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Kernels on ${report.adapter}</title>
<style>${new Html(style + kinds)}</style>
</head>
<body>
<header>
<p class="kicker">rmtrain bench</p>
<h1>Kernels on ${report.adapter}</h1>
<p class="about">${report.machine}; products in ${report.precision}; ${versions.join(", ")}; ${report.date}</p>
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(section)}</main>
</body>
</html>
`;
  return page.text;
}

function rooflineSection(report: BenchReport): Section {
  const { ceilings } = report;
  const ridge = ceilings.flopsPerSecond / ceilings.bytesPerSecond;
  const picture = figure({
    title: "Roofline",
    legend: families.map(({ swatch, words }): [string, string] => [`dot ${swatch}`, words]),
    svg: roofline(report),
    reading: [
      `No kernel can be above the line: left of ${ridge.toPrecision(2)} FLOP per byte it is what memory delivers (${giga(ceilings.bytesPerSecond)} GB/s, measured by a copy), right of it what arithmetic does (${giga(ceilings.flopsPerSecond)} GFLOP/s, measured by multiply-adds in registers). The distance to the line is what a better kernel could gain.`,
      "A hollow point is a variant that another one beats at this shape. Bytes count every input and output once, so small data that stay in caches may lie above the sloping part. Rows without arithmetic are in the table only.",
    ],
    table: bestTable(report),
  });
  return {
    id: "roofline",
    title: "How close the kernels come",
    body: html`<div class="wide">${picture}</div>`,
  };
}

/** For each kernel, the row with the largest share. */
function bestTable({ rows }: BenchReport): Html {
  const winners = fastest(rows);
  const best = new Map<string, BenchReport["rows"][number]>();
  for (const row of rows) {
    const other = best.get(row.name);
    if (winners.has(row) && (other === undefined || row.share > other.share)) best.set(row.name, row);
  }
  return table("The best row of each kernel", columns(...kernelColumns), kernelRows([...best.values()]));
}

const ceilingSection = (report: BenchReport): Section => ({
  id: "ceilings",
  title: "Ceilings and overheads",
  body: html`${table("Ceilings", columns("ceiling", "reached#", "what was measured"), ceilingRows(report))}
${table("Overheads", columns("beside the kernels", "time#"), overheadRows(report.overheads))}`,
});

const rowSection = (report: BenchReport): Section => ({
  id: "rows",
  title: "All rows",
  body: html`${list(remarks(report))}
${details(
  `${report.rows.length} rows`,
  table("All rows", columns(...kernelColumns), kernelRows(report.rows)),
)}`,
});

const comparisonSection = (c: Comparison): Section => ({
  id: "comparison",
  title: "Compared with an earlier run",
  body: html`<p>Two runs one after the other, not interleaved; ${c.rows.length} rows are in both, ${c.meanSpeedup.toFixed(2)} times as fast in the geometric mean. ${c.onlyBefore.length} are only in the earlier run, ${c.onlyAfter.length} only in this one.</p>
${table(
  "Settings",
  columns("setting", "before", "now"),
  c.settings.map((row) => [...row]),
)}
${details(
  "Row by row",
  table(
    "Row by row",
    columns("kernel", "shape", "ms before#", "ms now#", "times as fast#", "quartiles apart"),
    c.rows.map((row) => [
      row.name,
      row.shape,
      milliseconds(row.before),
      milliseconds(row.after),
      row.speedup.toFixed(2),
      row.apart ? "yes" : "",
    ]),
  ),
)}`,
});

const leftOutSection = ({ leftOut }: BenchReport): Section => ({
  id: "left-out",
  title: "What was left out",
  body: details(
    `${leftOut.length} rows`,
    table(
      "Rows that were left out",
      columns("kernel", "shape", "for", "seconds by estimate#"),
      leftOut.map((row) => [row.name, row.shape, row.reason, row.seconds.toFixed(1)]),
    ),
  ),
});
