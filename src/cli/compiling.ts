/** @file The line that says that the device's driver compiles kernels: on stderr, and only where it does. */
import type { WarmUpProgress } from "../gpu/warm-up.ts";
import { Progress } from "./progress.ts";

export const compilingPhase = "kernels";

/** Draws it; another phase may begin when all are compiled. */
export function drawCompiling(progress: Progress, done: number, total: number): void {
  const status = `${done} of ${total}, kept for later runs`;
  progress.update(compilingPhase, done, total, status, `kernels ${status}`);
}

/** Of a command that shows no other progress. */
export function compilingLine(stream: NodeJS.WriteStream = process.stderr): WarmUpProgress {
  const progress = new Progress(stream);
  return (done, total) => {
    drawCompiling(progress, done, total);
    if (done === total) progress.stop();
  };
}
