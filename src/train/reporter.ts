/** @file What a run tells while it runs. The command line draws it; a library user may ignore it. */
import type { EvalLine, TrainLine } from "./metrics.ts";
import type { RunFile } from "./run-file.ts";

export type Phase = "kernels" | "features" | "training";

export interface TrainReporter {
  /** One line that the user should see: what was read, what was left out, a warning. */
  note(text: string): void;
  /** The run begins: what run.json holds of it. */
  started?(run: RunFile): void;
  /**
   * A phase's work begins: `total` kernels to compile, the backbone's pass over `total` pairs, or `total` steps of
   * training.
   * @param done of them, with `tokens`, by the run that is resumed
   */
  begin?(phase: Phase, total: number, done?: number, tokens?: number): void;
  /** The device's driver compiles kernels; not called where it has them from earlier runs. */
  compiled?(done: number, total: number): void;
  /** The backbone's pass over all records. */
  features?(done: number, total: number, tokens: number): void;
  /** A line of metrics; `total` steps in all. */
  trained?(line: TrainLine, total: number): void;
  evaluated?(line: EvalLine): void;
  /** The state after `step` steps is durable, in `folder`. */
  saved?(step: number, folder: string): void;
}
