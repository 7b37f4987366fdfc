/** @file How a run ends that was asked to stop. */
import { RmtrainError } from "../../errors.ts";

/** The run was asked to stop and did so after a whole step, its state saved; `--resume` goes on to the same bits. */
export class TrainingInterrupted extends RmtrainError {
  /**
   * @param step steps that were done
   * @param checkpoint the folder of the newest saved state; undefined where there is none yet
   */
  constructor(
    readonly step: number,
    readonly totalSteps: number | undefined,
    readonly checkpoint: string | undefined,
    options?: ErrorOptions,
  ) {
    const of = totalSteps === undefined ? "before the first step" : `after step ${step} of ${totalSteps}`;
    const saved = checkpoint === undefined ? "no state had been saved" : `the state is in ${checkpoint}`;
    super(`Training was interrupted ${of}; ${saved}`, options);
  }
}
