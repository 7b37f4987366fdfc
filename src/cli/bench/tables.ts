/** @file What `rmtrain bench` prints: Markdown, with what the figures depend on. */
import { boundOf } from "../../kernels/bench/measure.ts";
import type { Comparison } from "./compare.ts";
import { giga, markdownTable, milliseconds, percent } from "./markdown.ts";
import type { BenchReport } from "./report.ts";

export function reportText(report: BenchReport): string {
  return [
    heading(report),
    markdownTable(["ceiling", "reached#", "what was measured"], ceilingRows(report)),
    markdownTable(["beside the kernels", "time#"], overheadRows(report.overheads)),
    markdownTable(kernelColumns, kernelRows(report.rows)),
    `${remarks(report).join("\n")}\n`,
  ].join("\n");
}

function heading({ adapter, machine, precision, versions, date, rows, seconds }: BenchReport): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Kernels: ${rows.length} rows in ${Math.round(seconds)} s\n\n${adapter}; ${machine}; products in ${precision}; ${named.join(", ")}; ${date}\n`;
}

export function ceilingRows({ ceilings, processor }: BenchReport): string[][] {
  const { parts } = ceilings;
  const rows: [string, number, string, string][] = [
    ["fma", parts.fma8Chains, "GFLOP/s", "8 chains of vec4 in registers"],
    ["fma", parts.fma2Chains, "GFLOP/s", "2 chains of vec4, for few registers"],
    ["copy", parts.copyKernel, "GB/s", "y = x, read and written together"],
    ["copy", parts.copyCommand, "GB/s", "copyBufferToBuffer"],
  ];
  if (processor !== undefined)
    rows.push([
      "processor",
      processor.flopsPerSecond,
      "GFLOP/s",
      `1024 x 1024 product: ${processor.library}`,
    ]);
  const top: readonly number[] = [ceilings.flopsPerSecond, ceilings.bytesPerSecond];
  return rows.map(([name, rate, unit, what]) => [
    name,
    `${giga(rate)} ${unit}`,
    top.includes(rate) ? `${what}: the ceiling` : what,
  ]);
}

export function overheadRows(o: BenchReport["overheads"]): string[][] {
  const micro = (seconds: number) => `${(seconds * 1e6).toFixed(seconds < 1e-5 ? 1 : 0)} us`;
  return [
    ["record, submit and wait for one tiny dispatch", micro(o.submitAndWait)],
    ["each further dispatch", micro(o.dispatch)],
    ["the host's part of it", micro(o.record)],
    ["the same with a new bind group", micro(o.recordNewGroup)],
    ["each further submit", micro(o.submit)],
    ["read 4 KiB", micro(o.read4KiB)],
    ["read 1 MiB", micro(o.read1MiB)],
    ["read 16 MiB", micro(o.read16MiB)],
    ["write 16 MiB", micro(o.write16MiB)],
  ];
}

/** `runs` says yes where it is what runs at the shape, not a variant that has to be forced. */
export const kernelColumns = ["kernel", "shape", "runs", "ms#", "GFLOP/s#", "GB/s#", "share#", "of"];

export const kernelRows = (rows: BenchReport["rows"]): string[][] =>
  rows.map((row) => [
    row.name,
    row.shape,
    row.chosen ? "yes" : "",
    milliseconds(row.seconds),
    giga(row.flopsPerSecond),
    giga(row.bytesPerSecond),
    percent(row.share),
    row.limit,
  ]);

/** In sentences: how to read the table, what was left out, what contradicts the ceilings. */
export function remarks(report: BenchReport): string[] {
  const { rows, ceilings } = report;
  if (rows.length === 0) return leftOutRemarks(report);
  const clocked = rows.filter(({ source }) => source === "wall").length;
  const by =
    clocked === 0
      ? "the device's timestamps"
      : clocked === rows.length
        ? "the host's clock"
        : `the device's timestamps (${clocked} rows: the host's clock)`;
  const lines = [
    `Times are medians of ${fewestRuns(report)} to ${mostRuns(report)} runs by ${by}; share: of what the nearer ceiling allows; runs: without a variant being forced.`,
    buildRemark(report),
    ...leftOutRemarks(report),
  ];
  const behind = beaten(rows);
  if (behind.length > 0)
    lines.push(
      `${behind.length} rows that run here are slower, with quartiles apart, than another variant: ${named(behind)}. \`rmtrain tune\` chooses by measurement.`,
    );
  const units = rows.filter(({ name }) => onMatrixUnits.test(name));
  if (units.length > 0)
    lines.push(
      `${units.length} rows run on matrix units, whose ceiling is not measured: their share is of fma's.`,
    );
  const above = aboveCeiling(rows, ceilings);
  if (above.length > 0)
    lines.push(
      `${above.length} rows exceed the fma ceiling, which therefore is none here: ${named(above)}. On a busy machine run again; else please report it.`,
    );
  const cached = rows.filter((row) => boundOf(row, ceilings).limit === "copy" && row.share > 1);
  if (cached.length > 0)
    lines.push(
      `${cached.length} rows are faster than a copy in memory: their data fit caches. ${named(cached)}.`,
    );
  return lines;
}

/** Rows that run by themselves although another variant of the operation is faster at the same shape. */
export function beaten(rows: BenchReport["rows"]): BenchReport["rows"] {
  const same = (a: { name: string; shape: string }, b: typeof a) =>
    a.shape === b.shape && a.name.replace(/=\S+/, "") === b.name.replace(/=\S+/, "");
  return rows.filter((row) => row.chosen && rows.some((other) => same(row, other) && other.high < row.low));
}

/** Rows that do more arithmetic than the ceiling allows, which none can. */
export const aboveCeiling = <R extends Pick<BenchReport["rows"][number], "name" | "flopsPerSecond">>(
  rows: readonly R[],
  ceilings: Pick<BenchReport["ceilings"], "flopsPerSecond">,
): R[] => rows.filter((row) => row.flopsPerSecond > ceilings.flopsPerSecond && !onMatrixUnits.test(row.name));

/** Linears of the class f16. */
const onMatrixUnits = /:f16( |$)/;

const fewestRuns = ({ rows }: BenchReport) => Math.min(...rows.map(({ runs }) => runs));
const mostRuns = ({ rows }: BenchReport) => Math.max(...rows.map(({ runs }) => runs));

function buildRemark({ rows }: BenchReport): string {
  const total = rows.reduce((sum, { firstSeconds }) => sum + firstSeconds, 0);
  const longest = rows.reduce((a, b) => (b.firstSeconds > a.firstSeconds ? b : a));
  return `First runs, which build pipelines, took ${total.toFixed(1)} s more than later ones, ${longest.name} ${longest.firstSeconds.toFixed(2)} s; drivers may keep pipelines from earlier processes (--compile builds all anew).`;
}

const duration = (seconds: number) =>
  seconds < 600
    ? `${seconds} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`;

function leftOutRemarks({ rows, leftOut }: BenchReport): string[] {
  const of = (reason: "time" | "memory") => leftOut.filter((row) => row.reason === reason);
  const [slow, large] = [of("time"), of("memory")];
  const all = rows.length + leftOut.length;
  const lines: string[] = [];
  if (slow.length > 0) {
    const seconds = Math.round(slow.reduce((sum, row) => sum + row.seconds, 0));
    lines.push(
      `${slow.length} of ${all} rows were left out, about ${duration(seconds)} by estimate: --full runs them, --budget gives more time.`,
    );
  }
  if (large.length > 0)
    lines.push(`${large.length} of ${all} rows don't fit --memory-budget: ${named(large)}.`);
  return lines;
}

/** The first few of them. */
function named(rows: readonly { readonly name: string; readonly shape: string }[]): string {
  const some = rows.slice(0, 5).map(({ name, shape }) => `${name} ${shape}`);
  return some.join("; ") + (rows.length > some.length ? "; ..." : "");
}

export function comparisonText(comparison: Comparison, file: string): string {
  const { settings, rows, onlyBefore, onlyAfter } = comparison;
  const faster = rows.filter(({ apart, speedup }) => apart && speedup > 1).length;
  const slower = rows.filter(({ apart, speedup }) => apart && speedup < 1).length;
  const verdict = comparison.sameSetting
    ? "Adapter, machine, precision and versions are the same: what differs is the kernels, and what else the machine did."
    : "The settings differ, so the rows compare them as much as the kernels.";
  return [
    `Compared with ${file}: two runs one after the other, not interleaved.\n`,
    markdownTable(["setting", "before", "now"], settings),
    `${verdict} The ceilings are ${comparison.fmaRatio.toFixed(2)} (fma) and ${comparison.copyRatio.toFixed(2)} (copy) times the old ones.\n`,
    markdownTable(
      ["kernel", "shape", "ms before#", "ms now#", "times as fast#", "times the share#", "apart"],
      rows.map((row) => [
        row.name,
        row.shape,
        milliseconds(row.before),
        milliseconds(row.after),
        row.speedup.toFixed(2),
        row.shareRatio.toFixed(2),
        row.apart ? "yes" : "",
      ]),
    ),
    `${rows.length} rows in both, ${comparison.meanSpeedup.toFixed(2)} times as fast in the geometric mean; ${faster} faster and ${slower} slower with quartiles apart. ${onlyBefore.length} only before, ${onlyAfter.length} only now.\n`,
  ].join("\n");
}
