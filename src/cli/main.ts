#!/usr/bin/env node
/** @file The `rmtrain` command: subcommands, and what every failure looks like. */
import { Command, CommanderError } from "commander";
import { RmtrainError } from "../errors.ts";
import { version } from "../train/versions.ts";
import { register as bench } from "./bench.ts";
import { register as check } from "./check.ts";
import { register as doctor } from "./doctor.ts";
import { register as equiv } from "./equiv.ts";
import { register as evaluate } from "./eval.ts";
import { listenForInterrupts } from "./interrupt.ts";
import { register as merge } from "./merge.ts";
import { register as objectives } from "./objectives.ts";
import { register as score } from "./score.ts";
import { register as trace } from "./trace.ts";
import { register as train } from "./train/train.ts";
import { register as tune } from "./tune.ts";

function program(): Command {
  const root = new Command("rmtrain")
    .description("Train, score and audit reward models on any GPU. Without a command: train.")
    .version(version)
    .showHelpAfterError("(--help shows every option and its default)")
    .exitOverride();
  for (const register of [
    train,
    check,
    evaluate,
    score,
    trace,
    merge,
    doctor,
    equiv,
    objectives,
    bench,
    tune,
  ])
    register(root);
  for (const command of root.commands) command.exitOverride();
  return root;
}

/** Else a mistyped command would be taken for an argument of the default one. */
function refuseUnknownCommand(root: Command, first: string | undefined): void {
  if (first === undefined || first.startsWith("-") || first === "help") return;
  const names = root.commands.map((command) => command.name());
  if (!names.includes(first)) root.error(`error: unknown command '${first}' (there are ${names.join(", ")})`);
}

/** The process's exit code: 0, 1 for failures, 2 for usage or bad input. */
function report(error: unknown): number {
  // Help, the version and usage errors have been printed by commander.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof RmtrainError) {
    process.stderr.write(`rmtrain: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `rmtrain: this is a defect of rmtrain, please report it:\n${error instanceof Error ? error.stack : error}\n`,
  );
  return 1;
}

listenForInterrupts();

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early (head, less) is no failure.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`rmtrain: can't write to standard output: ${error.message}\n`);
  process.exit(1);
});
// Work goes on when nobody reads its progress.
process.stderr.on("error", () => {});

try {
  const root = program();
  refuseUnknownCommand(root, process.argv[2]);
  await root.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
