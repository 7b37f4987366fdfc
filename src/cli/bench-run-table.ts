/** @file What `rmtrain bench --train` and `--score` print: Markdown, with what the figures depend on. */
import { formatBytes } from "../gpu/errors.ts";
import type { RunResult } from "../train/bench/end-to-end.ts";
import type { BenchSetting } from "../train/bench/setting.ts";

export interface ToldRun extends BenchSetting, RunResult {
  readonly kind: "train" | "score";
}

const seconds = (value: number) => `${value.toPrecision(3)} s`;
const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;
const giga = (rate: number) => (rate / 1e9).toPrecision(3);

export function runTable(run: ToldRun): string {
  const unit = run.kind === "train" ? "step" : "pass";
  const { first } = run;
  const rows: [string, string][] = [
    ["tokens/s", run.tokensPerSecond.toPrecision(4)],
    [`seconds per ${unit}`, `${seconds(run.seconds)} (${run.tokens} tokens)`],
    ["arithmetic", `${giga(run.flopsPerSecond)} GFLOP/s`],
    ["share of the ceiling", `${percent(run.share)} of ${giga(run.ceiling)} GFLOP/s (fma in registers)`],
    [
      `host time per ${unit}`,
      `${(1e3 * run.hostSeconds).toPrecision(3)} ms, ${percent(run.hostShare)} of the ${unit} (${run.hostTimeIsOwn ? "the thread's own time" : "by the clock"})`,
    ],
    [`dispatches per ${unit}`, `${run.dispatches} in ${run.submits} submits`],
    ["buffers and bind groups made meanwhile", `${run.made}`],
    ["peak memory", `${formatBytes(run.peakBytes)}; ${formatBytes(run.predictedBytes)} foretold`],
    [
      `until the end of the first ${unit}`,
      `${seconds(first.device + first.model + first.run)}: device ${seconds(first.device)}, model and pipelines ${seconds(first.model)}, the ${unit} ${seconds(first.run)}`,
    ],
  ];
  const tables = [heading(run), table(["", ""], rows)];
  if (run.growth.length > 0) {
    const growth = run.growth.map(({ axis, costs, exponent }) => [
      axis,
      costs.map(({ size }) => size).join(", "),
      costs.map((cost) => cost.seconds.toPrecision(3)).join(", "),
      exponent.toFixed(2),
    ]);
    tables.push(table([`how a ${unit} grows with`, "sizes", "seconds", "exponent"], growth));
  }
  return `${tables.join("\n\n")}\n`;
}

function heading({ kind, shape, adapter, machine, versions, date }: ToldRun): string {
  const { hidden, layers, heads, kvHeads, intermediate, vocabulary, length, batch, dtype } = shape;
  const model = `hidden ${hidden}, ${layers} layers, ${heads}:${kvHeads} heads, intermediate ${intermediate}, vocabulary ${vocabulary}, ${dtype}`;
  const what = kind === "train" ? "Training" : "Scoring";
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${what}: ${model}; ${batch} pairs of 2 x ${length} tokens\n\n${adapter}; ${machine}; ${named.join(", ")}; ${date}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
