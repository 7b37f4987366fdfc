/** @file Options that say how conversations become texts, and how texts begin; the same for every command with a model. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BosRule, bosRules } from "../data/bos.ts";
import type { ChatChoice } from "../model/chat/chat-reader.ts";
import { isDate } from "../model/chat/date.ts";

export interface ChatFlags extends ChatChoice {
  readonly bos?: BosRule;
}

/** @param defaults what holds where an option isn't given, as the help says it */
export function addChatOptions(
  command: Command,
  defaults: { readonly template: string; readonly date: string; readonly bos: string },
): Command {
  return command
    .option(
      "--chat-template <path>",
      `makes texts of conversations: a Jinja file, or a model folder whose template is taken (default: ${defaults.template})`,
    )
    .option("--chat-template-name <name>", 'one of several templates of a folder (default: "default")')
    .option(
      "--chat-date <date>",
      `YYYY-MM-DD, which a template that writes the date takes for today (default: ${defaults.date})`,
      date,
    )
    .addOption(
      new Option(
        "--bos <rule>",
        `auto: a plain text begins as the tokenizer has it, a conversation as its template writes it; always: with exactly one BOS; never: with none (default: ${defaults.bos})`,
      ).choices(bosRules),
    );
}

function date(text: string): string {
  if (!isDate(text)) throw new InvalidArgumentError("Expected a date, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.");
  return text;
}
