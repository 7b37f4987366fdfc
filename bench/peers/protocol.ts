/** @file The lines between run.ts and the contestants' processes. */
export type Request =
  | { readonly prepare: string }
  | { readonly run: true }
  | { readonly results: string }
  | { readonly release: true };

export type Answer = { readonly ok: unknown } | { readonly error: string };

/** Begins every line that is an answer; libraries write others to stdout. */
export const answerMark = "@answer ";
