/** @file How a training run looks on a terminal: progress bars where there is one, plain lines where there is none. */
import cliProgress from "cli-progress";
import { formatBytes } from "../gpu/errors.ts";
import type { GroupAccuracy } from "../train/evaluate.ts";
import type { Phase, TrainReporter } from "../train/reporter.ts";
import type { TrainResult } from "../train/train.ts";

const number = (value: number, digits = 4) => value.toFixed(digits);

/** Writes to stderr; stdout is for results. */
export class TerminalReporter implements TrainReporter {
  readonly #bar: cliProgress.SingleBar | undefined;
  #phase: Phase | undefined;
  #began = performance.now();
  #announced = 0;

  constructor(readonly stream: NodeJS.WriteStream = process.stderr) {
    if (!stream.isTTY) return;
    this.#bar = new cliProgress.SingleBar({
      stream,
      format: "{phase} {bar} {percentage}% | {status} | {eta_formatted} left",
      clearOnComplete: true,
      etaBuffer: 50,
    });
  }

  note(text: string): void {
    this.stop();
    this.stream.write(`${text}\n`);
  }

  begin(phase: Phase, total: number): void {
    this.#bar?.stop();
    this.#bar?.start(total, 0, { phase, status: "" });
    this.#phase = phase;
    this.#began = performance.now();
    this.#announced = 0;
  }

  features(done: number, total: number, tokens: number): void {
    const seconds = this.#seconds("features", total);
    const status = `${Math.round(tokens / seconds)} tokens/s`;
    this.#bar?.update(done, { phase: "features", status });
    if (this.#bar === undefined)
      this.#line(done, total, `features ${done}/${total} pairs, ${status}`, seconds);
  }

  trained(line: Parameters<NonNullable<TrainReporter["trained"]>>[0], total: number): void {
    const seconds = this.#seconds("training", total);
    const rate = Math.round(line.num_tokens / seconds);
    const status = `loss ${number(line.loss)} accuracy ${number(line.accuracy, 3)} margin ${number(line.margin, 3)} ${rate} tokens/s`;
    this.#bar?.update(line.step, { phase: "training", status });
    if (this.#bar === undefined)
      this.#line(
        line.step,
        total,
        `step ${line.step}/${total} ${status} lr ${line.learning_rate.toExponential(2)}`,
        seconds,
      );
  }

  evaluated(line: Parameters<NonNullable<TrainReporter["evaluated"]>>[0]): void {
    if (this.#bar !== undefined) return;
    this.stream.write(
      `step ${line.step} held out: loss ${number(line.eval_loss)} accuracy ${number(line.eval_accuracy, 3)}\n`,
    );
  }

  stop(): void {
    this.#bar?.stop();
    this.#phase = undefined;
  }

  /** Since the phase began; a phase that nobody announced begins now. */
  #seconds(phase: Phase, total: number): number {
    if (this.#phase !== phase) this.begin(phase, total);
    return Math.max((performance.now() - this.#began) / 1e3, 1e-3);
  }

  /** Without a terminal: the end of a phase, and in between a line every few seconds. */
  #line(done: number, total: number, text: string, seconds: number): void {
    if (done < total && seconds - this.#announced < 5) return;
    this.#announced = seconds;
    const left = done > 0 ? Math.round((seconds * (total - done)) / done) : 0;
    this.stream.write(`${text}, ${left} s left\n`);
  }
}

const share = (value: number) => number(value, 3);
const interval = ({ low, high }: { low: number; high: number }) => `[${share(low)}, ${share(high)}]`;

/** The closing summary, in lines. */
export function summary(result: TrainResult, groupBy: string): string {
  const { evaluation, counts, dataset } = result;
  const lines = [
    "",
    `Saved ${result.out} (head of step ${result.savedStep} of ${result.totalSteps})`,
    `  backbone   ${counts.computed} tokens in ${number(result.featureSeconds, 1)} s (${Math.round(counts.computed / result.featureSeconds)} tokens/s); a padded batch would have computed ${counts.padded}`,
    `  head       ${number(result.trainSeconds, 1)} s; at most ${formatBytes(result.peakBytes)} on the device`,
    `  left out   ${dataset.train.counts.dropped} training and ${dataset.eval?.counts.dropped ?? 0} held-out pairs`,
  ];
  if (evaluation !== undefined) {
    const { accuracy, metrics, baselines, groups } = evaluation;
    lines.push(
      "",
      `Held out: ${accuracy.n} pairs`,
      `  accuracy   ${share(accuracy.accuracy)}  95 % interval ${interval(accuracy)}, ${accuracy.ties} ties`,
      `  baselines  always longer ${share(baselines.longer)}, always shorter ${share(baselines.shorter)}`,
      `  loss       ${number(metrics.loss)}  mean margin ${number(metrics.margin)}`,
      ...groupLines(groups, groupBy),
      ...pairLines(result),
    );
  }
  lines.push("", "Next:", `  npx rmtrain trace --model ${result.out} "I love you"`, "");
  return lines.join("\n");
}

function groupLines(groups: readonly GroupAccuracy[], groupBy: string): string[] {
  if (groups.length === 0) return [];
  const width = Math.max(...groups.map((g) => g.group.length));
  return [
    "",
    `By ${groupBy}:`,
    ...groups.map((g) => `  ${g.group.padEnd(width)}  ${share(g.accuracy)}  ${interval(g)}  ${g.n} pairs`),
  ];
}

/** Five held-out pairs, spread over the set, with their rewards. */
function pairLines({ rewards }: TrainResult): string[] {
  const step = Math.max(1, Math.floor(rewards.length / 5));
  const shown = rewards.filter((_, i) => i % step === 0).slice(0, 5);
  return shown.flatMap(({ record, chosen, rejected }) => {
    const [better = "", worse = ""] = record.content.replies;
    return [
      "",
      `  prompt    ${excerpt(record.content.prompt)}`,
      `  ${reward(chosen)}  chosen    ${excerpt(better)}`,
      `  ${reward(rejected)}  rejected  ${excerpt(worse)}`,
    ];
  });
}

const reward = (value: number) => number(value, 3).padStart(8);

function excerpt(content: string | readonly number[]): string {
  const text = typeof content === "string" ? content.replace(/\s+/g, " ").trim() : `ids ${content.join(" ")}`;
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}
