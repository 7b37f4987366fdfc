/** @file Options of `train` that say how a record becomes the ids that the model reads. */
import { type Command, Option } from "commander";
import { defaultMaxLength, trainDefaults } from "../../../train/options.ts";
import { addChatOptions } from "../../chat-options.ts";
import { positiveInteger } from "../../options.ts";

export function addInputOptions(command: Command): Command {
  command
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
    .option("--no-eos", "do not end plain texts in the tokenizer's EOS (default: they do)")
    .option(
      "--eos-after-chat",
      "end rendered conversations in EOS too (default: as their template ends them)",
    );
  return addChatOptions(command, {
    template: "the base's own",
    date: "now; kept with the checkpoint",
    bos: trainDefaults.bos,
  });
}
