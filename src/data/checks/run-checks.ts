/** @file All checks, in the order in which their findings are told. No device, and time linear in the tokens. */
import { negativeMargins, noPreference } from "./answers.ts";
import { beyondPositions } from "./beyond-positions.ts";
import { cutSides, promptCutAway, replyCutAway } from "./cut.ts";
import { emptyReply } from "./empty-reply.ts";
import { missingEndOfTurn, missingEos, unevenEnding } from "./ending.ts";
import type { Finding } from "./finding.ts";
import { formatRule } from "./format-rule.ts";
import type { Check, CheckInput } from "./input.ts";
import { labelBalance, labelLength, oneLabel } from "./labels.ts";
import {
  identicalAfterTruncation,
  identicalPairs,
  identicalTokens,
  nothingToLearn,
  tooLong,
} from "./left-out.ts";
import { lengthRule } from "./length-rule.ts";
import { padEnding } from "./pad-ending.ts";
import { promptBoundary } from "./prompt-boundary.ts";
import {
  contradictoryPairs,
  contradictoryRows,
  duplicateIds,
  duplicatePairs,
  duplicateRecords,
} from "./repeats.ts";
import { bosInside, doubledBos, unknownTokens } from "./special-tokens.ts";
import { trainEvalOverlap } from "./train-eval-overlap.ts";

const checks: readonly Check[] = [
  nothingToLearn,
  tooLong,
  identicalPairs,
  identicalTokens,
  identicalAfterTruncation,
  cutSides,
  replyCutAway,
  promptCutAway,
  beyondPositions,
  doubledBos,
  bosInside,
  unknownTokens,
  missingEos,
  missingEndOfTurn,
  unevenEnding,
  padEnding,
  promptBoundary,
  emptyReply,
  contradictoryPairs,
  contradictoryRows,
  duplicatePairs,
  duplicateRecords,
  duplicateIds,
  trainEvalOverlap,
  negativeMargins,
  noPreference,
  oneLabel,
  labelBalance,
  lengthRule,
  labelLength,
  formatRule,
];

/** Pairs that the run would use are looked at, and those it leaves out are counted; sets in the order given. */
export function runChecks(input: CheckInput): Finding[] {
  return checks.flatMap((check) => check(input));
}
