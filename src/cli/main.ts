#!/usr/bin/env node
/** @file The `rmtrain` command: subcommands, and what every failure looks like. */
import { Command, CommanderError } from "commander";
import { RmtrainError } from "../errors.ts";
import { version } from "../train/versions.ts";
import { listenForInterrupts } from "./interrupt.ts";

/** In the order of --help. Each is loaded where it is asked for: all together take a tenth of a second. */
const commands = {
  train: () => import("./train/train.ts"),
  check: () => import("./check.ts"),
  eval: () => import("./eval.ts"),
  score: () => import("./score.ts"),
  trace: () => import("./trace.ts"),
  merge: () => import("./merge.ts"),
  doctor: () => import("./doctor.ts"),
  equiv: () => import("./equiv.ts"),
  objectives: () => import("./objectives.ts"),
  bench: () => import("./bench.ts"),
  tune: () => import("./tune.ts"),
} as const;

/** @param first the first argument: the command that is asked for, where it names one; else all may be needed */
async function program(first: string | undefined): Promise<Command> {
  const root = new Command("rmtrain")
    .description("Train, score and audit reward models on any GPU. Without a command: train.")
    .version(version)
    .showHelpAfterError("(--help shows every option and its default)")
    .exitOverride();
  const asked = Object.entries(commands).filter(([name]) => name === first);
  const loaded = asked.length > 0 ? asked : Object.entries(commands);
  for (const { register } of await Promise.all(loaded.map(([, load]) => load()))) register(root);
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
  const [, , first] = process.argv;
  const root = await program(first);
  refuseUnknownCommand(root, first);
  await root.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
