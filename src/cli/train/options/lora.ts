/** @file Options of `train` that say what low-rank updates are like. */
import type { Command } from "commander";
import { loraDefaults as d } from "../../../model/adapter/settings.ts";
import { nonNegative, positiveInteger, share } from "../../options.ts";

/** Defaults apply with --trainable lora; elsewhere these options are refused. */
export function addLoraOptions(command: Command): Command {
  return command
    .option("--adapter <dir>", "go on with the low-rank updates in this folder (default: new ones)")
    .option("--lora-r <rank>", `rank of the updates (default: ${d.r})`, positiveInteger)
    .option("--lora-alpha <a>", `updates are scaled by alpha / r (default: ${d.alpha})`, nonNegative)
    .option(
      "--lora-dropout <share>",
      `share of the updates' inputs that is dropped (default: ${d.dropout})`,
      share,
    )
    .option(
      "--lora-targets <name...>",
      `which linear layers are updated: ${d.targets}, or PEFT's names such as q_proj v_proj (default: ${d.targets}, without the head)`,
    );
}
