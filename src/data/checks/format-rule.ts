/** @file Labels that one word at the beginning or one sign at the end of a reply predicts: a format, not a judgement. */
import { findingOf } from "./finding.ts";
import { inSetsOf } from "./input.ts";
import { ownReply } from "./reply.ts";
import { beyondChance, type Preference, preferences, rankedPairs } from "./rule.ts";

/** From this accuracy on the rule stands for the label. */
const SHARE = 0.9;

/** What of a reply a rule looks at; undefined where the reply is empty. */
type Feature = (reply: string | readonly number[]) => string | undefined;

const features: readonly (readonly [name: string, feature: Feature])[] = [
  ["begins with the word", (reply) => (typeof reply === "string" ? /\S+/.exec(reply)?.[0] : undefined)],
  ["begins with", (reply) => (typeof reply === "string" ? [...reply.slice(0, 2)][0] : id(reply[0]))],
  ["ends in", (reply) => (typeof reply === "string" ? [...reply.slice(-2)].at(-1) : id(reply.at(-1)))],
];

const id = (value: number | undefined) => (value === undefined ? undefined : `id ${value}`);

/**
 * "The reply that begins with (or ends in) v is better", or worse, is right on at least 0.9 of the pairs (ties count
 * half), and by more than three standard errors. One finding, of the best rule.
 */
export const formatRule = inSetsOf(["pairs", "lists"], (set) => {
  const pairs = preferences(set);
  const rules = features.flatMap(([name, feature]) => bestRule(pairs, name, feature) ?? []);
  const [best] = rules.sort((a, b) => b.share - a.share);
  if (best === undefined || best.share < SHARE || !beyondChance(best.share, pairs.length)) return [];
  const message = `"the reply that ${best.name} ${JSON.stringify(best.value)} is ${best.better ? "better" : "worse"}" alone is right on ${best.share.toFixed(3)} of ${pairs.length} ${rankedPairs(set)}: the format gives the label away`;
  return findingOf(
    "format-rule",
    "warning",
    pairs.map(({ where }) => where),
    message,
    set.name,
  );
});

interface Rule {
  readonly name: string;
  readonly value: string;
  readonly better: boolean;
  readonly share: number;
}

/** A rule decides where one side has the value and the other has not. */
function bestRule(pairs: readonly Preference[], name: string, feature: Feature): Rule | undefined {
  const surplus = new Map<string, number>();
  const add = (value: string | undefined, by: number) => {
    if (value !== undefined) surplus.set(value, (surplus.get(value) ?? 0) + by);
  };
  for (const pair of pairs) {
    const [better, worse] = [pair.better, pair.worse].map((side) =>
      feature(ownReply(pair.content, side) ?? ""),
    );
    if (better === worse) continue;
    add(better, 1);
    add(worse, -1);
  }
  let best: Rule | undefined;
  for (const [value, n] of surplus) {
    const share = 0.5 + Math.abs(n) / (2 * pairs.length);
    if (best === undefined || share > best.share) best = { name, value, better: n > 0, share };
  }
  return best;
}
