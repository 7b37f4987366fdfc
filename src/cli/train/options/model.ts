/** @file --model of the commands that begin with a base model. */
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";

/** The base that a fresh clone brings. */
export const defaultModel = fileURLToPath(new URL("../../../../models/base", import.meta.url));

export function addModelOption(command: Command): Command {
  return command.addOption(
    new Option("--model <dir>", "base model in Hugging Face's layout").default(defaultModel, "models/base"),
  );
}
