/** @file How a training run looks on a terminal: progress bars where there is one, plain lines where there is none. */
import { nouns } from "../../data/example-kind.ts";
import { formatBytes } from "../../gpu/errors.ts";
import type { GroupAccuracy } from "../../train/evaluate.ts";
import type { Phase, TrainReporter } from "../../train/reporter.ts";
import { compareRuns, type RunFile } from "../../train/run-file.ts";
import type { TrainResult } from "../../train/train.ts";
import { drawCompiling } from "../compiling.ts";
import { Progress } from "../progress.ts";
import type { Tracker } from "../trackers/tracker.ts";

const number = (value: number, digits = 4) => value.toFixed(digits);

/** Writes to stderr; stdout is for results. */
export class TerminalReporter implements TrainReporter {
  readonly #progress: Progress;

  /** Of the run that is resumed. */
  #tokensBefore = 0;

  /**
   * @param before the run that this one is to repeat: what is not as it was then is said
   * @param onTraining called when the first step is about to begin
   * @param tracker is told of the run and its metrics too
   */
  constructor(
    readonly stream: NodeJS.WriteStream = process.stderr,
    readonly before?: RunFile,
    readonly onTraining: () => void = () => {},
    readonly tracker?: Tracker | undefined,
  ) {
    this.#progress = new Progress(stream);
  }

  note(text: string): void {
    this.#progress.note(text);
  }

  started(run: RunFile): void {
    this.tracker?.started(run);
    if (this.before === undefined) return;
    for (const difference of compareRuns(this.before, run)) this.note(`Not as in that run: ${difference}`);
  }

  begin(phase: Phase, total: number, done = 0, tokens = 0): void {
    this.#progress.begin(phase, total, done);
    this.#tokensBefore = tokens;
    if (phase === "training") this.onTraining();
  }

  compiled(done: number, total: number): void {
    drawCompiling(this.#progress, done, total);
  }

  features(done: number, total: number, tokens: number): void {
    const status = `${Math.round(tokens / this.#progress.seconds("features", total))} tokens/s`;
    this.#progress.update("features", done, total, status, `features ${done}/${total} records, ${status}`);
  }

  trained(line: Parameters<NonNullable<TrainReporter["trained"]>>[0], total: number): void {
    this.tracker?.logged(line);
    const seconds = this.#progress.seconds("training", total);
    const rate = Math.round((line.num_tokens - this.#tokensBefore) / seconds);
    // Texts without preferences have no accuracy.
    const right = Number.isNaN(line.accuracy)
      ? ""
      : ` accuracy ${number(line.accuracy, 3)} margin ${number(line.margin, 3)}`;
    const status = `loss ${number(line.loss)}${right} ${rate} tokens/s`;
    const text = `step ${line.step}/${total} ${status} lr ${line.learning_rate.toExponential(2)}`;
    this.#progress.update("training", line.step, total, status, text);
  }

  evaluated(line: Parameters<NonNullable<TrainReporter["evaluated"]>>[0]): void {
    this.tracker?.logged(line);
    if (this.#progress.onTerminal) return;
    const right = Number.isNaN(line.eval_accuracy) ? "" : ` accuracy ${number(line.eval_accuracy, 3)}`;
    this.stream.write(`step ${line.step} held out: loss ${number(line.eval_loss)}${right}\n`);
  }

  stop(): void {
    this.#progress.stop();
  }
}

const share = (value: number) => number(value, 3);
const interval = ({ low, high }: { low: number; high: number }) => `[${share(low)}, ${share(high)}]`;

/** The closing summary, in lines. */
export function summary(result: TrainResult, groupBy: string): string {
  const { evaluation, dataset, last } = result;
  const lines = [
    "",
    `Saved ${result.out} (${result.trainable === "head" ? "head" : "weights"} of step ${result.savedStep} of ${result.totalSteps}${early(result)})`,
    ...(last === undefined ? [] : [`  last step  ${last.dir} (step ${last.step}${accuracyOf(last)})`]),
    ...costLines(result),
    `  left out   ${dataset.train.leftOut.length} training and ${dataset.eval?.leftOut.length ?? 0} held-out ${nouns[dataset.train.kind]}s`,
    ...(result.report === undefined ? [] : [`  report     ${result.report}`]),
  ];
  if (evaluation !== undefined) {
    const { accuracy, metrics, baselines, groups } = evaluation;
    lines.push(
      "",
      `Held out: ${accuracy.n} pairs${last === undefined ? "" : ", on which the step was chosen: its accuracy is a little too good"}`,
      `  accuracy   ${share(accuracy.accuracy)}  95 % interval ${interval(accuracy)}, ${accuracy.ties} ties`,
      `  baselines  always longer ${share(baselines.longer)}, always shorter ${share(baselines.shorter)}`,
      `  loss       ${number(metrics.loss)}  mean margin ${number(metrics.margin)}`,
      ...groupLines(groups, groupBy),
      ...pairLines(result),
    );
  }
  lines.push(...otherLines(result));
  lines.push("", "Next:", `  npx rmtrain ${nextOf(result)}`, "");
  return lines.join("\n");
}

/** What to try with it: a trace of its rewards or, of a language model, training on preferences. */
function nextOf(result: TrainResult): string {
  const { kind, out } = result;
  if (kind === "language") return `train --model ${out} --data prefs.jsonl --out rm`;
  const reference = result.reference === undefined ? "" : ` --reference ${result.reference}`;
  return `trace ${modelOf(result)}${kind === "policy" ? ` --reward implicit${reference}` : ""} "I love you"`;
}

/** How other commands load what was trained. */
function modelOf({ out, model, trainable }: TrainResult): string {
  return trainable === "lora" ? `--model ${model} --adapter ${out}` : `--model ${out}`;
}

/** Of held-out records that are no pairs. */
function otherLines({ others, dataset }: TrainResult): string[] {
  if (others === undefined) return [];
  const { kind } = dataset.train;
  const { loss, accuracy, margin } = others.metrics;
  const head = ["", `Held out: ${others.rewards.length} ${nouns[kind]}s`];
  if (kind === "texts") return [...head, `  loss       ${number(loss)} nats per token`];
  const right =
    kind === "rows"
      ? "rows on the right side of the point of reference"
      : "pairs of replies, of those that differ in rank, in the right order";
  return [
    ...head,
    `  accuracy   ${share(accuracy)} (${right})`,
    `  loss       ${number(loss)}  mean margin ${number(margin)}`,
  ];
}

function early({ lastStep, totalSteps }: TrainResult): string {
  return lastStep < totalSteps ? `; training stopped early after step ${lastStep}` : "";
}

function accuracyOf({ evaluation }: NonNullable<TrainResult["last"]>): string {
  return evaluation === undefined ? "" : `, accuracy ${share(evaluation.accuracy.accuracy)}`;
}

function costLines(result: TrainResult): string[] {
  const { trainSeconds, peakBytes, predictedBytes, counts } = result;
  const seconds = number(trainSeconds, 1);
  if (predictedBytes === undefined)
    return [
      `  backbone   ${backboneLine(result)}`,
      `  head       ${seconds} s; at most ${formatBytes(peakBytes)} on the device`,
    ];
  const rate = Math.round(counts.computed / trainSeconds);
  return [
    `  training   ${counts.computed} tokens in ${seconds} s (${rate} tokens/s, evaluations included); padded batches would have computed ${counts.padded}`,
    `  memory     at most ${formatBytes(peakBytes)} on the device; ${formatBytes(predictedBytes)} were expected`,
  ];
}

function backboneLine({ counts: { computed, padded }, cached, featureSeconds }: TrainResult): string {
  const seconds = number(featureSeconds, 1);
  const fromCache = cached === 0 ? "" : `, ${cached} features from the cache`;
  if (computed === 0) return `not run${fromCache} in ${seconds} s`;
  const rate = Math.round(computed / featureSeconds);
  return `${computed} tokens in ${seconds} s (${rate} tokens/s); a padded batch would have computed ${padded}${fromCache}`;
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
