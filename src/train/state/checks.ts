/** @file What is checked and said before a run begins or goes on. */
import type { ExampleKind } from "../../data/example-kind.ts";
import { InputError } from "../../errors.ts";
import type { Dataset } from "../dataset.ts";
import type { TrainOptions } from "../options.ts";
import type { TrainReporter } from "../reporter.ts";
import type { FoundState } from "./folder.ts";
import { checkAgrees, type Identity, type IdentityOfInput, machineDifferences } from "./identity.ts";
import { TrainingInterrupted } from "./interrupted.ts";
import { checkRates } from "./longer.ts";

/** @throws InputError where early stopping has nothing to go by */
export function checkStopping({ earlyStoppingPatience }: TrainOptions, dataset: Dataset<ExampleKind>): void {
  if (earlyStoppingPatience === undefined || (dataset.eval?.examples.length ?? 0) > 0) return;
  throw new InputError(
    "--early-stopping-patience needs held-out records: give --eval-data, or an --eval-split above 0",
  );
}

/** @throws InputError naming what differs from the run that saved the state, and may not */
export function checkResumable(
  { folder, saved }: FoundState,
  now: IdentityOfInput,
  pairs: number,
  options: TrainOptions,
): void {
  checkAgrees(folder, saved.identity, now);
  checkRates(folder, saved, pairs, options);
}

/** Where the run goes on, and a warning where another machine may give other bits. */
export function reportResumed({ folder, saved }: FoundState, now: Identity, reporter: TrainReporter): void {
  const { step, best } = saved.progress;
  const accuracy =
    best === undefined ? "" : `, best so far: accuracy ${best.accuracy.toFixed(3)} at step ${best.step}`;
  reporter.note(`Going on from ${folder}: ${step} steps done${accuracy}`);
  const differences = machineDifferences(saved.identity, now);
  if (differences.length > 0)
    reporter.note(`Warning: the bits may differ from an undivided run's: ${differences.join("; ")}`);
}

/** @throws TrainingInterrupted before the first step of this process */
export function stopIfAsked(signal: AbortSignal | undefined, from: FoundState | undefined): void {
  if (!signal?.aborted) return;
  const { step, total } = { step: from?.saved.progress.step ?? 0, total: from?.saved.place.totalSteps };
  throw new TrainingInterrupted(step, total, from?.folder, { cause: signal.reason });
}
