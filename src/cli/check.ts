/** @file `rmtrain check`: what a training run would read, and what is wrong with it, before any work on a device. */
import { type Command, Option } from "commander";
import { type Finding, rowsByFile } from "../data/checks/finding.ts";
import { type ExampleKind, exampleKinds, nouns } from "../data/example-kind.ts";
import { type CheckResult, checkData, type Lengths, type SetSummary } from "../train/check.ts";
import { type TrainOptions, trainDefaults } from "../train/options.ts";
import { refuseFindings } from "../train/prepare.ts";
import { wholeNumber } from "./options.ts";
import { addDataOptions } from "./train/options/data.ts";
import { addInputOptions } from "./train/options/input.ts";
import { addModelOption } from "./train/options/model.ts";

interface Flags extends Omit<TrainOptions, "data" | "out" | "overlong"> {
  readonly data?: string;
  readonly truncate?: "left" | "right";
  readonly kind?: ExampleKind;
  readonly json?: true;
}

export function register(program: Command): void {
  const command = program
    .command("check")
    .description("look for what ruins a training run in its data, as train does before it begins; no device");
  for (const add of [addModelOption, addDataOptions, addInputOptions]) add(command);
  command
    .option("--seed <n>", "of the split", wholeNumber, trainDefaults.seed)
    .addOption(
      new Option(
        "--kind <kind>",
        "what the records are read as; pairs serve for every kind (default: what the first record is)",
      ).choices(exampleKinds),
    )
    .addOption(new Option("--json", "print counts and findings as JSON (default: tables)"))
    .action(run);
}

async function run(flags: Flags, command: Command): Promise<void> {
  const { json, truncate, data, ...rest } = flags;
  if (data === undefined) command.error("error: required option '--data <file>' not specified");
  const options = { ...rest, data, overlong: truncate ?? trainDefaults.overlong };
  const result = await checkData(options, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(json ? `${JSON.stringify(asJson(result))}\n` : asText(result));
  if (flags.strict) refuseFindings(result.findings);
}

function asJson({ sets, ...rest }: CheckResult) {
  const counts = sets.map(({ set, lengths, ...counted }) => [set, { ...counted, ...lengths }]);
  return { records: Object.fromEntries(counts), ...rest };
}

function asText({ kind, sets, splitBy, maxLength, findings }: CheckResult): string {
  const undecided = kind === "pairs" ? [] : ["nothing to learn"];
  const lengths = Object.keys(sets[0]?.lengths ?? {});
  const table = [
    ["", `${nouns[kind]}s`, "used", "too long", "equal", ...undecided, "tokens", ...lengths],
    ...sets.map(row),
  ];
  const lines = [
    `Held out: ${splitBy}. At most ${maxLength} tokens a ${kind === "pairs" ? "side" : "sequence"}; lengths are median / 90th percentile / longest.`,
    "",
    ...aligned(table),
    "",
    ...(findings.length === 0 ? ["No findings."] : findings.flatMap(findingLines)),
  ];
  return `${lines.join("\n")}\n`;
}

function row({ set, records, used, dropped, identical, undecided, tokens, lengths }: SetSummary): string[] {
  const shown = ({ median, p90, longest }: Lengths) => `${median} / ${p90} / ${longest}`;
  const counts = [records, used, dropped, identical, ...(undecided === undefined ? [] : [undecided]), tokens];
  return [set, ...counts.map(String), ...Object.values(lengths).map(shown)];
}

/** The first column to the left, the others to the right. */
function aligned(table: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...table.map((cells) => cells[column]?.length ?? 0));
  return table.map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join("  "),
  );
}

function findingLines({ severity, check, set, count, message, examples }: Finding): string[] {
  const rows = rowsByFile(examples).join("; ");
  const heading = [severity.padEnd(7), check.padEnd(26), (set ?? "").padEnd(8), `${count}`.padStart(7)];
  return [`${heading.join("  ")}  ${rows}`, `         ${message}`];
}
