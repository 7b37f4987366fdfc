/** @file The training itself, by `--objective lm`, in slices: each goes on from the last state and ends with a new one. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import type { TrainReporter } from "../../../src/train/reporter.ts";
import { TrainingInterrupted } from "../../../src/train/state/interrupted.ts";
import { train } from "../../../src/train/train.ts";
import type { PretrainSettings } from "./settings.ts";

export interface Slice {
  /** Folder of the untrained model. */
  readonly initial: string;
  /** Folder of the run: its states, metrics.jsonl and at the end the trained model. */
  readonly run: string;
  readonly texts: readonly string[];
  readonly settings: PretrainSettings;
  /** Aborted: the step at hand is finished and the state saved. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether a run has ended: its folder holds the trained weights. */
export function isTrained({ run }: Pick<Slice, "run">): boolean {
  return existsSync(join(run, "model.safetensors"));
}

/** Trains on; returns whether the last step was reached. */
export async function trainSlice(
  gpu: () => Promise<Gpu>,
  { initial, run, texts, settings, signal }: Slice,
  reporter: TrainReporter,
): Promise<boolean> {
  const { maxLength, batchSize, steps, lr, warmupRatio, weightDecay, seed, watched } = settings;
  try {
    await train(
      gpu,
      {
        model: initial,
        data: texts,
        out: run,
        objective: "lm",
        trainable: "full",
        // Enough for any text: the steps end the run.
        epochs: 1000,
        maxSteps: steps,
        batchSize,
        batchTokens: batchSize * maxLength,
        maxLength,
        lr,
        warmupRatio,
        weightDecay,
        schedule: "cosine",
        seed,
        evalSplit: watched,
        evalSteps: Math.ceil(steps / 12),
        saveEvery: 50,
        saveTotalLimit: 1,
        logEvery: 10,
        report: false,
      },
      reporter,
      { signal, resume: "auto" },
    );
    return true;
  } catch (error) {
    if (error instanceof TrainingInterrupted) return false;
    throw error;
  }
}
