/** @file Whether a run may be made longer (or shorter): only where the steps already done keep their learning rates. */
import { InputError } from "../../errors.ts";
import { type TrainOptions, trainDefaults } from "../options.ts";
import { planSteps } from "../plan.ts";
import { learningRate } from "../schedule.ts";
import type { TrainingState } from "./checkpoint.ts";

/**
 * @param options the run's now, all equal to the state's but for --epochs, --max-steps, --warmup-ratio, --warmup-steps
 * @throws InputError saying which step would have had another rate, and what can be made longer
 */
export function checkRates(
  checkpoint: string,
  { progress, identity }: TrainingState,
  pairs: number,
  options: TrainOptions,
): void {
  const now = planSteps(pairs, options);
  if (now.totalSteps < progress.step) {
    throw new InputError(
      `--resume ${checkpoint}: ${progress.step} steps are done already, more than the ${now.totalSteps} that the options ask for`,
    );
  }
  const given = Object.entries(identity.options).filter(([, value]) => value !== null);
  const before: TrainOptions = {
    ...options,
    ...trainDefaults,
    maxSteps: undefined,
    warmupSteps: undefined,
    ...Object.fromEntries(given),
  };
  const then = planSteps(pairs, before);
  for (let step = 0; step < progress.step; step++) {
    const was = learningRate(before.schedule, step, then.totalSteps, then.warmupSteps, before.lr);
    const is = learningRate(options.schedule, step, now.totalSteps, now.warmupSteps, options.lr);
    if (was === is) continue;
    throw new InputError(
      `--resume ${checkpoint}: ${now.totalSteps} steps instead of ${then.totalSteps} would change the learning rates of steps already done (step ${step + 1}: ${is}, not ${was}). Only a run with --schedule constant can be made longer, with --warmup-steps ${then.warmupSteps}`,
    );
  }
}
