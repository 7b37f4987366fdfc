/** @file What a run is told in the end: flags over the file of --config over the defaults. */
import type { Command } from "commander";
import type { HeadInit, TrainOptions } from "../../train/options.ts";
import { trainDefaults, withDefaults } from "../../train/options.ts";
import { type RunConfig, readRunFile } from "../../train/run-file.ts";
import type { TrackerName } from "../trackers/tracker.ts";
import { goOn } from "./go-on.ts";

/** The parsed flags of `train`, under commander's names. */
export interface Flags
  extends Omit<
    TrainOptions,
    "data" | "out" | "overlong" | "initHead" | "epochs" | "lr" | "gradientCheckpointing"
  > {
  readonly epochs?: number;
  readonly lr?: number;
  readonly gradientCheckpointing?: true;
  readonly data?: TrainOptions["data"];
  readonly out?: string;
  readonly truncate?: "left" | "right";
  readonly initHead: HeadInit;
  readonly memoryBudget: number;
  readonly config?: string;
  readonly resume?: string | true;
  readonly reportTo: TrackerName;
  readonly json?: true;
}

export interface Resolved {
  readonly options: TrainOptions;
  /** The run that --config repeats, where its file is a run.json. */
  readonly before: RunConfig["run"];
  /** Where to go on from, as `train` takes it. */
  readonly resume: string | undefined;
}

/** Where a flag is given, what the file says of the others is void: one would overrule the flag. */
const alternatives: readonly (readonly (keyof TrainOptions)[])[] = [
  ["evalData", "evalSplit"],
  ["epochs", "maxSteps"],
  ["warmupRatio", "warmupSteps"],
];

/** @throws CommanderError where nothing names the data; InputError for a file of options that can't be followed */
export async function resolveOptions(flags: Flags, command: Command): Promise<Resolved> {
  const { config, memoryBudget: _, json: __, resume: ___, reportTo: ____, truncate, ...rest } = flags;
  const { resume, out: folder, runFile } = await goOn(flags, command);
  const source = runFile ?? config;
  const { options: file, run } = source === undefined ? { options: {} } : await readRunFile(source);
  const isGiven = (flag: string) => command.getOptionValueSource(flag) !== "default";
  const given: Partial<TrainOptions> = Object.fromEntries(
    Object.entries(rest).filter(([name]) => isGiven(name)),
  );
  const void_ = alternatives.filter((names) => names.some((name) => name in given)).flat();
  const kept = Object.fromEntries(Object.entries(file).filter(([name]) => !void_.some((v) => v === name)));
  const { data, ...options } = {
    out: folder ?? `runs/${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`,
    overlong: trainDefaults.overlong,
    ...rest,
    ...kept,
    ...given,
    ...(truncate === undefined ? {} : { overlong: truncate }),
  };
  // What commander says of a required option; it can't know that --config gives one.
  if (data === undefined) command.error("error: required option '--data <file...>' not specified");
  return {
    options: withDefaults({ ...options, data }),
    before: runFile === undefined ? run : undefined,
    resume,
  };
}
