/** @file Labels that a rule which only looks at length predicts (https://github.com/allenai/reward-bench/issues/267). */
import { lengthBaselines } from "../null-baselines.ts";
import { findingOf } from "./finding.ts";
import { inSetsOf } from "./input.ts";
import { asPair, beyondChance, preferences, rankedPairs } from "./rule.ts";

const LOW = 0.4;
const HIGH = 0.6;

/** "The longer reply is better" is right outside 0.40 to 0.60 of the pairs (of lists: of their replies two by two), and by more than three standard errors. */
export const lengthRule = inSetsOf(["pairs", "lists"], (set) => {
  const pairs = preferences(set);
  const { longer, shorter } = lengthBaselines(pairs.map(asPair));
  if ((longer >= LOW && longer <= HIGH) || !beyondChance(longer, pairs.length)) return [];
  const word = longer > HIGH ? "longer" : "shorter";
  const message = `"the ${word} reply is better" alone is right on ${Math.max(longer, shorter).toFixed(3)} of ${pairs.length} ${rankedPairs(set)}: a reward model may learn length and nothing else`;
  return findingOf(
    "length-rule",
    "warning",
    pairs.map(({ where }) => where),
    message,
    set.name,
  );
});
