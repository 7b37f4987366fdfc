/** @file `rmtrain bench`: how fast each kernel is, beside what the device can do at best. */
import { type Command, Option } from "commander";
import { InputError } from "../errors.ts";
import { benchCompile } from "./bench/compile.ts";
import { benchKernels, type KernelFlags } from "./bench/kernels.ts";
import { addRunOptions, type RunFlags, runBench } from "./bench-run.ts";
import { memoryBudgetOption, positive, precisionOption } from "./options.ts";

type Flags = KernelFlags & RunFlags & { readonly compile?: true };

export function register(program: Command): void {
  const command = program
    .command("bench")
    .description(
      "measure each kernel at the shapes of models, beside the device's own ceilings; or the building of pipelines; or training and scoring, end to end",
    )
    .option("--json", "print JSON (default: tables in Markdown)")
    .option("--filter <text>", "only kernels whose name and shape contain this (default: all)")
    .option(
      "--model <dir>",
      "the shapes of this model's layers; its config.json is enough (default: usual models' ones)",
    )
    .addOption(
      new Option(
        "--budget <seconds>",
        "leave out rows that would not be done in time; every kernel comes before any comes twice",
      )
        .argParser(positive)
        .default(100),
    )
    .option("--full", "leave out no row, however long it takes")
    .option("--compare <file>", "compare with an earlier run's --json")
    .option("--html <file>", "write a page with the roofline, too")
    .option(
      "--compile",
      "measure how long each pipeline takes to build with nothing kept from before, not kernels",
    )
    .addOption(precisionOption())
    .addOption(memoryBudgetOption());
  addRunOptions(command).action(run);
}

async function run(flags: Flags): Promise<void> {
  const others = (["train", "score", "compile"] as const).filter((name) => flags[name]);
  if (others.length === 0) return await benchKernels(flags);
  const [other = "", second] = others;
  if (second !== undefined)
    throw new InputError(`--${other} and --${second} are two benchmarks: run one after the other`);
  const idle = (["filter", "model", "full", "compare", "html"] as const).filter(
    (name) => flags[name] !== undefined && !(flags.compile && name === "filter"),
  );
  if (idle.length > 0)
    throw new InputError(`--${idle.join(", --")}: for the benchmark of kernels only, not with --${other}`);
  return await (flags.compile ? benchCompile(flags) : runBench(flags));
}
