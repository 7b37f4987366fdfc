/** @file Labels that a rule which only looks at length predicts (https://github.com/allenai/reward-bench/issues/267). */
import { lengthBaselines } from "../null-baselines.ts";
import { findingOf } from "./finding.ts";
import { inEachSet } from "./input.ts";
import { beyondChance, preferences } from "./rule.ts";

const LOW = 0.4;
const HIGH = 0.6;

/** "The longer reply is better" is right outside 0.40 to 0.60 of the pairs, and by more than three standard errors. */
export const lengthRule = inEachSet((set) => {
  const pairs = preferences(set);
  const { longer, shorter } = lengthBaselines(
    pairs.map(({ content }) => content),
    pairs.map(({ label }) => label),
  );
  if ((longer >= LOW && longer <= HIGH) || !beyondChance(longer, pairs.length)) return [];
  const word = longer > HIGH ? "longer" : "shorter";
  const message = `"the ${word} reply is better" alone is right on ${Math.max(longer, shorter).toFixed(3)} of ${pairs.length} ${set.name} pairs: a reward model may learn length and nothing else`;
  return findingOf(
    "length-rule",
    "warning",
    pairs.map(({ where }) => where),
    message,
    set.name,
  );
});
