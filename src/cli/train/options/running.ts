/** @file Options of `train` that say how the run goes: what is logged and kept, and on how much memory. */
import { type Command, Option } from "commander";
import { trainDefaults as d } from "../../../train/options.ts";
import { bytes, memoryBudgetOption, positiveInteger, precisionOption } from "../../options.ts";

export function addRunningOptions(command: Command): Command {
  return command
    .option("--group-by <field>", "field of the records that breaks down the closing evaluation", d.groupBy)
    .option("--log-every <steps>", "steps between two lines of metrics", positiveInteger, d.logEvery)
    .option("--eval-steps <n>", "steps between two evaluations (default: an epoch's)", positiveInteger)
    .option(
      "--early-stopping-patience <n>",
      "stop after so many evaluations in a row that are no better than the best: accuracy, then loss (default: never)",
      positiveInteger,
    )
    .option(
      "--save-every <steps>",
      "steps between two training states (default: an epoch's)",
      positiveInteger,
    )
    .option("--save-total-limit <n>", "training states that are kept", positiveInteger, d.saveTotalLimit)
    .option(
      "--resume [dir]",
      "go on with a stopped run, to the same bits: its folder, one of its checkpoint-N, or auto (also without a value): the newest state in --out, else from the first step. Options come from its run.json; flags that would change the bits are refused (default: a new run)",
    )
    .option(
      "--batch-tokens <n>",
      "most tokens that the backbone computes at once; where more than the head learns, fewer if --memory-budget asks for it",
      positiveInteger,
      d.batchTokens,
    )
    .option(
      "--gradient-checkpointing",
      "keep no layer's inside for its gradient but compute it again: less memory, more work, the same bits (default: off)",
    )
    .addOption(precisionOption(d.precision))
    .addOption(memoryBudgetOption())
    .option(
      "--feature-cache <dir>",
      "keep the backbone's features there, so that later runs on the same model and texts begin at the head (default: off)",
    )
    .addOption(
      new Option(
        "--cache-limit <bytes>",
        "what --feature-cache may take on the disk; what was used longest ago goes first",
      )
        .argParser(bytes)
        .default(d.cacheLimit, `${d.cacheLimit / 2 ** 30}GiB`),
    );
}
