/** @file `rmtrain eval`: a reward model's accuracy on preference pairs, overall and by the records' fields. */
import { type Command, Option } from "commander";
import { type EvalResult, evalJson, evaluateModel, mostGroups } from "../audit/eval.ts";
import type { Columns } from "../data/sources/columns.ts";
import { findFiles } from "../data/sources/files.ts";
import { openGpu } from "../kernels/open.ts";
import { defaultBatchTokens } from "../train/run-batches.ts";
import { addRewardOptions, openScorer, type RewardFlags } from "./open-scorer.ts";
import { positiveInteger, several } from "./options.ts";
import { addReadingOptions, dataSources, pairLayouts } from "./reading-options.ts";
import { addModelOptions, noteLoaded } from "./score.ts";

interface Flags extends RewardFlags {
  readonly data: string | readonly string[];
  readonly groupBy?: string | readonly string[];
  readonly truncate?: "left" | "right";
  readonly maxLength?: number;
  readonly columns?: Columns;
  readonly skipBadLines?: true;
  readonly batchTokens: number;
  readonly json?: true;
}

export function register(program: Command): void {
  const command = program
    .command("eval")
    .description("accuracy of a reward model on preference pairs, with intervals and by the records' fields");
  addReadingOptions(addRewardOptions(addModelOptions(command)))
    .requiredOption(
      "--data <file...>",
      `preference records, as train reads them: ${pairLayouts}. ${dataSources}`,
      several,
    )
    .option(
      "--group-by <field...>",
      `fields of the records to break the accuracy down by (default: every field with 2 to ${mostGroups} values)`,
      several,
    )
    .option(
      "--max-length <tokens>",
      "longest sequence; a longer pair is left out and counted (default: none is)",
      positiveInteger,
    )
    .addOption(
      new Option(
        "--truncate <side>",
        "cut longer sequences on that side and keep the pair (default: leave the pair out)",
      ).choices(["left", "right"]),
    )
    .option(
      "--batch-tokens <n>",
      "tokens that the model computes at once",
      positiveInteger,
      defaultBatchTokens,
    )
    .option("--json", "print JSON (default: a table)")
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  // A mistyped name is told before the model is loaded.
  await findFiles(flags.data);
  using gpu = await openGpu({ memoryBudget: flags.memoryBudget, precision: flags.precision });
  using model = await openScorer(gpu, flags);
  noteLoaded(model, gpu.precision);
  const { truncate: overlong, groupBy, ...rest } = flags;
  const fields = groupBy === undefined ? undefined : [groupBy].flat();
  const note = (text: string) => void process.stderr.write(`${text}\n`);
  const result = await evaluateModel(model, flags.data, { ...rest, groupBy: fields, overlong }, note);
  process.stdout.write(flags.json ? `${JSON.stringify(evalJson(result), null, 2)}\n` : table(result));
}

const share = (value: number) => value.toFixed(3);

interface Row {
  readonly name: string;
  readonly accuracy: EvalResult["accuracy"];
  readonly baselines: EvalResult["baselines"];
}

function table({ accuracy, baselines, metrics, counts, by }: EvalResult): string {
  const { dropped, identical, records, truncated } = counts;
  const rows: Row[] = [{ name: "all", accuracy, baselines }];
  for (const [field, groups] of by)
    for (const group of groups)
      rows.push({ name: `${field}=${group.group}`, accuracy: group, baselines: group.baselines });
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}  ${cells.join("  ")}`.trimEnd();
  const cut = truncated.reduce((sum, n) => sum + n, 0);
  return [
    line("", ["pairs".padStart(7), "accuracy", "95 % interval ", " ties", "longer", "shorter"]),
    ...rows.map(({ name, accuracy: a, baselines: b }) =>
      line(name, [
        String(a.n).padStart(7),
        share(a.accuracy).padStart(8),
        `[${share(a.low)}, ${share(a.high)}]`,
        String(a.ties).padStart(5),
        share(b.longer).padStart(6),
        share(b.shorter).padStart(7),
      ]),
    ),
    "",
    `loss ${metrics.loss.toFixed(4)}, mean margin ${metrics.margin.toFixed(4)}; longer and shorter: what "the longer (shorter) reply is better" scores`,
    `${records} pairs read; left out: ${dropped} too long, ${identical} with equal sides; ${cut} sides cut`,
    "",
  ].join("\n");
}
