/** @file Learning rates, as transformers' get_{linear,cosine,constant}_schedule_with_warmup compute them; float64. */

export const schedules = ["linear", "cosine", "constant"] as const;
export type ScheduleName = (typeof schedules)[number];

/** What is left of the base rate at `progress` (0 to 1) of the steps after the warm-up. */
const remaining: Readonly<Record<ScheduleName, (progress: number) => number>> = {
  linear: (progress) => 1 - progress,
  cosine: (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  constant: () => 1,
};

/**
 * The rate of update `step`, counted from 0. It rises from 0 over `warmupSteps`, so that with a warm-up the first
 * update has rate 0 (and still feeds Adam's moments); then it falls to 0 at `totalSteps`, or stays.
 * @param lr the highest rate
 */
export function learningRate(
  schedule: ScheduleName,
  step: number,
  totalSteps: number,
  warmupSteps: number,
  lr: number,
): number {
  if (step < warmupSteps) return (lr * step) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return lr * Math.max(0, remaining[schedule](progress));
}
