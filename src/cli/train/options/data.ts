/** @file Options of `train` that say which records are read and how they are divided. */
import { type Command, Option } from "commander";
import { defaultEvalSplit } from "../../../train/options.ts";
import { several, share } from "../../options.ts";
import { addReadingOptions, dataSources, otherLayouts, pairLayouts } from "../../reading-options.ts";

export function addDataOptions(command: Command): Command {
  command
    .option(
      "--data <file...>",
      `preference records: ${pairLayouts}; ${otherLayouts}. ${dataSources}`,
      several,
    )
    .option(
      "--eval-data <file...>",
      "held-out records, in the same forms (default: some of --data, see --eval-split)",
      several,
    );
  return addReadingOptions(command)
    .addOption(
      new Option(
        "--eval-split <share>",
        `share of the prompts to hold out; 0: no evaluation (default: by the records' field "split" where all say train or eval, else ${defaultEvalSplit})`,
      )
        .argParser(share)
        .conflicts("evalData"),
    )
    .option(
      "--strict",
      "stop, with exit code 2, when the check of the data finds more than notes (default: findings are told, and the run goes on)",
    );
}
