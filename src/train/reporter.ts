/** @file What a run tells while it runs. The command line draws it; a library user may ignore it. */
import type { EvalLine, TrainLine } from "./metrics.ts";

export type Phase = "features" | "training";

export interface TrainReporter {
  /** One line that the user should see: what was read, what was left out, a warning. */
  note(text: string): void;
  /** A phase's work begins: the backbone's pass over `total` pairs, or `total` steps of training. */
  begin?(phase: Phase, total: number): void;
  /** The backbone's pass over all records. */
  features?(done: number, total: number, tokens: number): void;
  /** A line of metrics; `total` steps in all. */
  trained?(line: TrainLine, total: number): void;
  evaluated?(line: EvalLine): void;
}
