/** @file From which share on the limit's losses are more than worth knowing. */
import type { Severity } from "./finding.ts";
import type { CheckedSet } from "./input.ts";

/** Share of the examples; beyond it the run reads other data than it was given. */
const MUCH = 0.1;

/** Of `lost` examples that the limit left out or cut, of all that were read. */
export function lossSeverity(lost: number, set: CheckedSet): Severity {
  return lost > MUCH * (set.examples.length + set.leftOut.length) ? "warning" : "note";
}
