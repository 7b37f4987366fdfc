/** @file Options of `train` that say what is written, and where. */
import { type Command, Option } from "commander";
import { trainDefaults as d } from "../../../train/options.ts";
import { bytes } from "../../options.ts";
import { trackers } from "../../trackers/tracker.ts";

export function addOutputOptions(command: Command): Command {
  return command
    .option(
      "--config <file>",
      "take options from a run.json of an earlier run, or from a JSON object of options; flags override it (default: none)",
    )
    .addOption(
      new Option("--max-shard-size <bytes>", "what one file of the saved model may hold, such as 5GB")
        .argParser(bytes)
        .default(d.maxShardSize, `${d.maxShardSize / 1e9}GB`),
    )
    .addOption(
      new Option(
        "--report-to <tracker>",
        "also send metrics to Weights & Biases, by their client @wandb/sdk; see docs/trackers.md for others",
      )
        .choices(trackers)
        .default("none"),
    )
    .option("--out <dir>", "folder for the trained model (default: runs/<time>)")
    .option(
      "--no-report",
      "do not write report.html (default: it is written to --out, again at each evaluation)",
    )
    .option("--json", "print the result as JSON on stdout (default: a summary)");
}
