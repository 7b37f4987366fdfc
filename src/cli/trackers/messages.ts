/** @file What the trainer tells the process that talks to a tracker, and what that tells back. */

export type TrackerMessage =
  | {
      readonly type: "start";
      /** Shown as the run's name. */
      readonly name: string;
      /** What the run was told and made of. */
      readonly config: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "log"; readonly step: number; readonly values: Readonly<Record<string, number>> }
  | { readonly type: "end"; readonly exitCode: number };

/** A line for the user: where the run can be seen, or why reporting stopped. */
export type TrackerReply = { readonly seen: string } | { readonly problem: string };
