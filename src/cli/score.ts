/** @file `rmtrain score`: rewards of the lines of a file or a pipe. */

import { access, constants } from "node:fs/promises";
import type { Command } from "commander";
import { Option } from "commander";
import { RewardModel } from "../audit/reward-model.ts";
import { scoreStream } from "../audit/score.ts";
import { ScoreReport, type ScoreSummary } from "../audit/score-report.ts";
import { readScoreRecords } from "../data/score-record.ts";
import { InputError } from "../errors.ts";
import { openGpu } from "../gpu/gpu.ts";
import { writeFileAtomic } from "../model/atomic-file.ts";
import { defaultBatchTokens } from "../train/run-batches.ts";
import { memoryBudgetOption, positiveInteger, wholeNumber } from "./options.ts";
import { withLineOutput } from "./score-output.ts";

export interface HeadFlags {
  readonly model: string;
  readonly initHead?: "normal";
  readonly seed: number;
  readonly memoryBudget: number;
}

interface Flags extends HeadFlags {
  readonly data: string;
  readonly out: string;
  readonly perToken?: true;
  readonly summary?: string;
  readonly truncate?: "left" | "right";
  readonly maxLength?: number;
  readonly batchTokens: number;
}

/** Which model, with which head, on how much memory. */
export function addModelOptions(command: Command): Command {
  return command
    .requiredOption("--model <dir>", "reward model in Hugging Face's layout: config.json, *.safetensors")
    .addOption(
      new Option(
        "--init-head <how>",
        "score with a random head N(0, 1/(hidden_size+1)) in place of the checkpoint's (default: its own; none is an error)",
      ).choices(["normal"]),
    )
    .option("--seed <n>", "of the random head", wholeNumber, 0)
    .addOption(memoryBudgetOption());
}

export function register(program: Command): void {
  const command = program.command("score").description("write the reward of every line of a JSON Lines file");
  addModelOptions(command)
    .requiredOption(
      "--data <file>",
      "lines of {text}, {prompt?, response}, {input_ids}, {prompt_ids?, response_ids}, {prompt?, chosen, rejected} or {prompt_ids?, chosen_ids, rejected_ids}, any with an id; -: standard input",
    )
    .option("--out <file>", "where results go, one line for each line; -: standard output", "-")
    .option("--per-token", "add the reward of every prefix and the token ids")
    .option("--summary <file>", "write counts and the accuracy on pairs as JSON (default: as text on stderr)")
    .addOption(
      new Option(
        "--truncate <side>",
        "cut longer sequences on that side; the EOS stays (default: nothing is cut)",
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
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.maxLength !== undefined && flags.truncate === undefined)
    throw new InputError("--max-length needs --truncate left or right: score never drops a line");
  await checkData(flags.data);
  const began = performance.now();
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget });
  using model = await RewardModel.load(gpu, flags.model, headOptions(flags));
  noteUnused(model);
  const report = new ScoreReport(model);
  const complete = await withLineOutput(flags.out, async (write) => {
    for await (const window of scoreStream(model, readScoreRecords(flags.data), report, flags)) {
      if (!(await write(window.map((line) => `${JSON.stringify(line)}\n`).join("")))) return false;
      showProgress(`${report.lines} lines, ${rate(model, began)}`);
    }
    return true;
  });
  showProgress("");
  // Whoever closed the pipe has seen enough.
  if (complete) await conclude(report, flags.summary, rate(model, began));
}

/** A mistyped name is told before the model is loaded. */
async function checkData(file: string): Promise<void> {
  if (file === "-") return;
  await access(file, constants.R_OK).catch(() => {
    throw new InputError(`${file}: no such file, or it can't be read`);
  });
}

export function headOptions({ initHead, seed }: HeadFlags) {
  return initHead === undefined ? { seed } : { initHead, seed };
}

async function conclude(report: ScoreReport, file: string | undefined, speed: string): Promise<void> {
  const summary = report.summary();
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

export function noteUnused({ unused }: RewardModel): void {
  if (unused.length === 0) return;
  const shown = unused.slice(0, 10).join(", ");
  note(
    `${unused.length} tensors of the checkpoint are not used: ${shown}${unused.length > 10 ? ", ..." : ""}`,
  );
}

function rate({ counts }: RewardModel, began: number): string {
  const seconds = (performance.now() - began) / 1e3;
  return `${seconds.toFixed(1)} s, ${Math.round(counts.computed / seconds)} tokens/s`;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One line that replaces itself, where stderr is a terminal. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
