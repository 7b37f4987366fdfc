/** @file Options that say how records are read, the same for every command that reads them. */
import { type Command, Option } from "commander";
import { type Columns, parseColumns } from "../data/sources/columns.ts";

/** Where records may come from, and as what; for the help of --data. */
export const dataSources =
  "JSON Lines, a JSON list, CSV or TSV (also gzipped), or Parquet; files, quoted patterns such as 'data/*.jsonl', or -: standard input";

/** Records of the losses that don't learn from pairs, for the help of --data. */
export const otherLayouts =
  "for --objective kto also {prompt?, completion, label: true|false}, for losses of lists {prompt?, responses, ranks | scores}, for --objective lm {text}, .txt files and folders of them";

/** The layouts of pairs, for the help of --data. */
export const pairLayouts =
  "{prompt?, chosen, rejected} with strings or lists of messages, {prompt_ids?, chosen_ids, rejected_ids}, and the pairs of TRL, OpenRLHF, LLaMA-Factory, Axolotl and UltraFeedback, which are recognised; each with margin and label (0 to 1) where it has them";

/** --columns, which may be repeated. */
export function columnsOption(): Option {
  return new Option(
    "--columns <field=name,...>",
    "names that the records have for fields, such as chosen=best,rejected=worst; field= leaves one out (default: the names above)",
  ).argParser((text: string, before: Columns | undefined): Columns => ({ ...before, ...parseColumns(text) }));
}

export function addReadingOptions(command: Command): Command {
  return command
    .addOption(columnsOption())
    .option(
      "--skip-bad-lines",
      "leave out records that can't be used, count them, and go on (default: the first one is an error)",
    );
}
