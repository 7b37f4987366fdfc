/** @file Saving while a run goes on: the metrics' lines first, then the state, then the oldest states go. */
import type { TrainOptions } from "../options.ts";
import type { Plan } from "../plan.ts";
import type { TrainerState } from "../trainer.ts";
import { writeState } from "./checkpoint.ts";
import { pruneStates } from "./folder.ts";
import type { Identity } from "./identity.ts";
import type { MetricsLog } from "./metrics-log.ts";
import type { Progress } from "./progress.ts";

/**
 * @param pairs training pairs
 * @returns what writes a state and gives its folder; RmtrainError names what can't be written, older states stay
 */
export function stateSaver(
  options: TrainOptions,
  plan: Plan,
  pairs: number,
  identity: Identity,
  log: MetricsLog,
): (state: TrainerState, progress: Progress) => Promise<string> {
  const { out, batchSize, gradientAccumulationSteps, saveTotalLimit } = options;
  return async (state, progress) => {
    await log.sync();
    const stepsOfEpoch = progress.step % plan.stepsPerEpoch;
    const place = {
      totalSteps: plan.totalSteps,
      epoch: Math.floor(progress.step / plan.stepsPerEpoch),
      pairsOfEpoch: Math.min(pairs, stepsOfEpoch * batchSize * gradientAccumulationSteps),
    };
    const folder = await writeState(out, { state, progress, place, metricsBytes: log.bytes, identity });
    await pruneStates(out, saveTotalLimit);
    return folder;
  };
}
