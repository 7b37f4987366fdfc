/** @file `rmtrain train`, the default command. */
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { Option } from "commander";
import { openGpu } from "../gpu/gpu.ts";
import {
  defaultEvalSplit,
  defaultMaxLength,
  type HeadInit,
  type TrainOptions,
  trainDefaults,
} from "../train/options.ts";
import { schedules } from "../train/schedule.ts";
import { train } from "../train/train.ts";
import { memoryBudgetOption, nonNegative, positiveInteger, share, wholeNumber } from "./options.ts";
import { summary, TerminalReporter } from "./train-report.ts";

/** The base that a fresh clone brings. */
export const defaultModel = fileURLToPath(new URL("../../models/base-random", import.meta.url));

interface Flags extends Omit<TrainOptions, "out" | "overlong" | "initHead"> {
  readonly out?: string;
  readonly truncate?: "left" | "right";
  readonly initHead: HeadInit;
  readonly memoryBudget: number;
  readonly json?: true;
}

export function register(program: Command): void {
  const d = trainDefaults;
  program
    .command("train", { isDefault: true })
    .description("train a reward model on preference pairs")
    .requiredOption(
      "--data <file>",
      "preference records, JSON Lines: {prompt?, chosen, rejected, margin?} or {prompt_ids?, chosen_ids, rejected_ids, margin?}",
    )
    .addOption(
      new Option("--model <dir>", "base model in Hugging Face's layout").default(
        defaultModel,
        "models/base-random",
      ),
    )
    .option("--out <dir>", "folder for the trained model (default: runs/<time>)")
    .addOption(
      new Option("--trainable <part>", "what learns; the backbone is frozen")
        .choices(["head"])
        .default("head"),
    )
    .option("--eval-data <file>", "held-out records")
    .addOption(
      new Option(
        "--eval-split <share>",
        `share of the prompts to hold out; 0: no evaluation (default: by the records' field "split" where all say train or eval, else ${defaultEvalSplit})`,
      )
        .argParser(share)
        .conflicts("evalData"),
    )
    .option("--epochs <n>", "passes over the training pairs", nonNegative, d.epochs)
    .option("--max-steps <n>", "steps in all; overrides --epochs", positiveInteger)
    .option("--batch-size <n>", "pairs per step", positiveInteger, d.batchSize)
    .option("--lr <rate>", "peak learning rate", nonNegative, d.lr)
    .option("--weight-decay <w>", "decoupled, as AdamW's", nonNegative, d.weightDecay)
    .option("--warmup-ratio <share>", "share of the steps over which the rate rises", share, d.warmupRatio)
    .option("--warmup-steps <n>", "overrides --warmup-ratio", wholeNumber)
    .addOption(
      new Option("--schedule <name>", "of the learning rate after the warm-up")
        .choices(schedules)
        .default(d.schedule),
    )
    .option(
      "--max-length <tokens>",
      `longest sequence; a longer pair is left out and counted (default: ${defaultMaxLength} or the model's positions, whichever is less)`,
      positiveInteger,
    )
    .addOption(
      new Option(
        "--truncate <side>",
        "cut longer sequences on that side and keep the pair; the EOS stays (default: leave the pair out)",
      ).choices(["left", "right"]),
    )
    .option("--no-eos", "do not end texts in the tokenizer's EOS (default: they do)")
    .option(
      "--center-rewards-coefficient <c>",
      "adds c * mean((r_w + r_l)^2) to the loss",
      nonNegative,
      d.centerRewardsCoefficient,
    )
    .option("--max-grad-norm <norm>", "clips the global gradient norm; 0 is off", nonNegative, d.maxGradNorm)
    .option("--seed <n>", "of the split, the order and a new head", wholeNumber, d.seed)
    .option("--no-shuffle", "take the pairs in file order (default: shuffled each epoch)")
    .option("--log-every <steps>", "steps between two lines of metrics", positiveInteger, d.logEvery)
    .addOption(
      new Option(
        "--init-head <how>",
        "keep: the checkpoint's own head where it has one, else normal; normal: N(0, 1/(hidden_size+1)); zeros",
      )
        .choices(["keep", "normal", "zeros"])
        .default(d.initHead),
    )
    .option("--batch-tokens <n>", "tokens that the backbone computes at once", positiveInteger, d.batchTokens)
    .option("--group-by <field>", "field of the records that breaks down the closing evaluation", d.groupBy)
    .addOption(memoryBudgetOption())
    .option("--json", "print the result as JSON on stdout (default: a summary)")
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { memoryBudget, json, truncate, ...rest } = flags;
  const options: TrainOptions = {
    ...rest,
    out: flags.out ?? `runs/${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`,
    overlong: truncate ?? trainDefaults.overlong,
  };
  const reporter = new TerminalReporter();
  let close = () => {};
  const open = async () => {
    const gpu = await openGpu({ memoryBudget });
    close = () => gpu.close();
    reporter.note(`Device: ${gpu.facts.description}${gpu.facts.software ? " (CPU)" : ""}`);
    return gpu;
  };
  try {
    const result = await train(open, options, reporter);
    reporter.stop();
    process.stdout.write(json ? `${JSON.stringify(asJson(result))}\n` : summary(result, options.groupBy));
  } finally {
    reporter.stop();
    close();
  }
}

/** The result as plain data; rewards of held-out pairs included. */
function asJson(result: Awaited<ReturnType<typeof train>>) {
  const { dataset, rewards, evaluation, ...rest } = result;
  return {
    ...rest,
    train: dataset.train.counts,
    eval: dataset.eval?.counts ?? null,
    evaluation: evaluation ?? null,
    rewards: rewards.map((r) => ({ where: r.record.where, chosen: r.chosen, rejected: r.rejected })),
  };
}
