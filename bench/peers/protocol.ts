/** @file The lines between run.ts and the contestants' processes. */
export type Request =
  | { readonly prepare: string }
  | { readonly run: true }
  | { readonly results: string }
  | { readonly release: true };

/** Of one run. */
export interface RunTimes {
  readonly seconds: number;
  /** Of all the process's threads: what other programs do counts less here. Means nothing where the device is a GPU. */
  readonly processor: number;
}

/** Which of them is told. */
export type Clock = keyof RunTimes;

export type Answer = { readonly ok: unknown } | { readonly error: string };

/** Begins every line that is an answer; libraries write others to stdout. */
export const answerMark = "@answer ";
