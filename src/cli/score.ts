/** @file `rmtrain score`: rewards of the lines of a file or a pipe. */

import type { Command } from "commander";
import { Option } from "commander";
import type { LoadOptions } from "../audit/reward-model.ts";
import { scoreStream } from "../audit/score.ts";
import { ScoreReport, type ScoreSummary } from "../audit/score-report.ts";
import type { Scorer } from "../audit/scorer.ts";
import { ReadingLog } from "../data/reading.ts";
import { readScoreLines } from "../data/score-record.ts";
import type { Columns } from "../data/sources/columns.ts";
import { findFiles, STDIN } from "../data/sources/files.ts";
import { InputError } from "../errors.ts";
import type { Precision } from "../gpu/precision.ts";
import { openGpu } from "../kernels/open.ts";
import { writeFileAtomic } from "../model/atomic-file.ts";
import { defaultBatchTokens } from "../train/run-batches.ts";
import { addChatOptions, type ChatFlags } from "./chat-options.ts";
import { addRewardOptions, openScorer, type RewardFlags } from "./open-scorer.ts";
import { memoryBudgetOption, positiveInteger, precisionOption, wholeNumber } from "./options.ts";
import { columnsOption, dataSources } from "./reading-options.ts";
import { type LineWriter, withLineOutput } from "./score-output.ts";
import { ScoreProgress } from "./score-progress.ts";

export interface HeadFlags extends ChatFlags {
  readonly model: string;
  readonly adapter?: string;
  readonly initHead?: "normal";
  readonly ignoreRecipeMismatch?: true;
  readonly seed: number;
  readonly memoryBudget: number;
  readonly precision: Precision;
}

interface Flags extends RewardFlags {
  readonly data: readonly string[];
  readonly out: string;
  readonly perToken?: true;
  readonly summary?: string;
  readonly truncate?: "left" | "right";
  readonly maxLength?: number;
  readonly batchTokens: number;
  readonly columns?: Columns;
  readonly skipBadLines?: true;
}

/** Which model, with which head, on how much memory. */
export function addModelOptions(command: Command): Command {
  command
    .requiredOption("--model <dir>", "reward model in Hugging Face's layout: config.json, *.safetensors")
    .option(
      "--adapter <dir>",
      "LoRA adapter in PEFT's layout, trained on --model, with its own head (default: none)",
    )
    .addOption(
      new Option(
        "--init-head <how>",
        "score with a random head N(0, 1/(hidden_size+1)) in place of the checkpoint's (default: its own; none is an error)",
      ).choices(["normal"]),
    )
    .option("--seed <n>", "of the random head", wholeNumber, 0)
    .option(
      "--ignore-recipe-mismatch",
      "go on where the input would be read otherwise than in training, and say what differs (default: an error)",
    )
    .addOption(precisionOption())
    .addOption(memoryBudgetOption());
  return addChatOptions(command, {
    template: "the checkpoint's own",
    date: "the date of the training, where its template wrote one, else now",
    bos: "as in training, else auto",
  });
}

export function register(program: Command): void {
  const command = program
    .command("score")
    .description("write the reward of every record, one line of JSON each");
  addRewardOptions(addModelOptions(command))
    .requiredOption(
      "--data <file...>",
      `records: {text}, {messages}, {prompt?, response}, {input_ids}, {prompt_ids?, response_ids}, or pairs, single labels and lists as train reads them, any with an id; prompts and replies are texts or lists of messages. ${dataSources}`,
    )
    .addOption(columnsOption())
    .option("--out <file>", "where results go, one line for each line; -: standard output", "-")
    .option("--per-token", "add the reward of every prefix and the token ids")
    .option("--summary <file>", "write counts and the accuracy on pairs as JSON (default: as text on stderr)")
    .addOption(
      new Option(
        "--truncate <side>",
        "cut longer sequences on that side; what ends a text stays (default: nothing is cut or left out, whatever training did)",
      ).choices(["left", "right"]),
    )
    .option(
      "--max-length <tokens>",
      "what --truncate cuts to (default: the model's positions)",
      positiveInteger,
    )
    .option(
      "--batch-tokens <n>",
      "tokens that the model computes at once",
      positiveInteger,
      defaultBatchTokens,
    )
    .option(
      "--skip-bad-lines",
      "give {id, error} in the place of a line that can't be used, and go on (default: the first one ends the run)",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.maxLength !== undefined && flags.truncate === undefined)
    throw new InputError("--max-length needs --truncate left or right: score never drops a line");
  // A mistyped name is told before the model is loaded.
  const files = await findFiles(flags.data);
  const began = performance.now();
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, precision: flags.precision });
  const progress = await ScoreProgress.of(files);
  using model = await openScorer(gpu, flags, progress.onCompiled);
  noteLoaded(model, gpu.precision);
  const report = new ScoreReport(model);
  const log = new ReadingLog();
  progress.begin();
  try {
    const complete = await withLineOutput(flags.out, (write) =>
      scoreAll(model, report, progress, { ...flags, log }, write),
    );
    progress.stop();
    // Whoever closed the pipe has seen enough.
    if (complete) await conclude(report, log, flags.summary, rate(model, began));
  } finally {
    progress.stop();
    // Reading ahead may still wait for input that never comes.
    if (files.includes(STDIN)) process.stdin.destroy();
  }
}

/** @returns false when nobody reads the results any more */
async function scoreAll(
  model: Scorer,
  report: ScoreReport,
  progress: ScoreProgress,
  flags: Flags & { readonly log: ReadingLog },
  write: LineWriter,
): Promise<boolean> {
  const { columns, log, skipBadLines } = flags;
  const lines = readScoreLines(flags.data, { columns, skipBadLines, log, onBytes: progress.onBytes });
  let taken = Promise.resolve(true);
  for await (const window of scoreStream(model, progress.counted(lines), report, flags)) {
    // While a window is written, the next one is computed.
    if (!(await taken)) return false;
    taken = write(window.map((line) => `${JSON.stringify(line)}\n`).join(""));
    taken.catch(() => {}); // it is awaited after the next window
    progress.update(report.lines, model.counts.computed);
  }
  return taken;
}

/** How the model is to be loaded. */
export function loadOptions(flags: HeadFlags): LoadOptions {
  const { adapter, initHead, seed, chatTemplate, chatTemplateName, chatDate, bos, ignoreRecipeMismatch } =
    flags;
  return {
    adapter,
    ...(initHead === undefined ? {} : { initHead }),
    seed,
    chatTemplate,
    chatTemplateName,
    chatDate,
    bos,
    ignoreRecipeMismatch,
  };
}

async function conclude(
  report: ScoreReport,
  log: ReadingLog,
  file: string | undefined,
  speed: string,
): Promise<void> {
  const summary = report.summary();
  for (const line of log.lines()) note(line);
  for (const warning of report.warnings()) note(`Warning: ${warning}`);
  note(
    `${summary.lines} lines, ${summary.computed_tokens} tokens computed (padded batches: ${summary.padded_tokens}), ${speed}`,
  );
  if (file !== undefined) await writeFileAtomic(file, `${JSON.stringify(summary, null, 2)}\n`);
  else if (summary.pairs !== null) note(pairText(summary.pairs));
}

function pairText(pairs: NonNullable<ScoreSummary["pairs"]>): string {
  const [low, high] = pairs.interval_95.map((x) => x.toFixed(3));
  return [
    `${pairs.n} pairs: accuracy ${pairs.accuracy.toFixed(3)} (95 % interval ${low} to ${high}), ${pairs.ties} ties, mean margin ${pairs.mean_margin.toFixed(4)}`,
    `by length alone: always longer ${pairs.always_longer.toFixed(3)}, always shorter ${pairs.always_shorter.toFixed(3)}`,
  ].join("\n");
}

/** What a user should know of a model before its first reward. */
export function noteLoaded({ unused, mismatches, recipe }: Scorer, precision: Precision): void {
  for (const line of mismatches) note(`Not as in training: ${line}`);
  if (recipe.precision !== undefined && recipe.precision !== precision)
    note(
      `Not as in training: --precision is ${precision}, it was ${recipe.precision}; rewards differ by its rounding`,
    );
  if (unused.length === 0) return;
  const shown = unused.slice(0, 10).join(", ");
  note(
    `${unused.length} tensors of the checkpoint are not used: ${shown}${unused.length > 10 ? ", ..." : ""}`,
  );
}

function rate({ counts }: Scorer, began: number): string {
  const seconds = (performance.now() - began) / 1e3;
  return `${seconds.toFixed(1)} s, ${Math.round(counts.computed / seconds)} tokens/s`;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
