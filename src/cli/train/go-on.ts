/** @file How a stopped run goes on: which options `--resume` takes from its folder, and the command that is printed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { runFileName } from "../../train/run-file.ts";
import { savedSteps } from "../../train/state/folder.ts";
import { runFolder } from "../../train/state/resume.ts";
import type { Flags } from "./resolve.ts";

export interface GoOn {
  /** For `train`: a folder or "auto"; undefined: a new run. */
  readonly resume: string | undefined;
  /** The run's folder, where --resume names it. */
  readonly out: string | undefined;
  /** The run's own run.json; undefined where there is none to take options from. */
  readonly runFile: string | undefined;
}

/** @throws CommanderError where --resume auto is not told where the run lies */
export async function goOn({ resume, out, config }: Flags, command: Command): Promise<GoOn> {
  if (resume === undefined) return { resume, out: undefined, runFile: undefined };
  const isAuto = resume === true || resume === "auto";
  if (isAuto && out === undefined) command.error("error: option '--resume auto' needs --out <dir>");
  const folder = isAuto ? (out ?? "") : runFolder(resume);
  const runFile = join(folder, runFileName);
  // A run that has saved nothing begins again, with what the flags say now.
  const isTold = config === undefined && existsSync(runFile) && (await savedSteps(folder)).length > 0;
  return { resume: isAuto ? "auto" : resume, out: folder, runFile: isTold ? runFile : undefined };
}

/** What to type, as a POSIX shell takes it, to go on with the run in `out`. */
export function resumeCommand(out: string, flags: Flags, command: Command): string {
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  const words = ["npx", "rmtrain", "train", "--resume", out];
  if (given("memoryBudget")) words.push("--memory-budget", String(flags.memoryBudget));
  if (flags.reportTo !== "none") words.push("--report-to", flags.reportTo);
  if (flags.json) words.push("--json");
  return words.map(quoted).join(" ");
}

/** A word that a POSIX shell leaves as it is. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
