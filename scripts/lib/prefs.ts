/**
 * @file The example preference pairs, made from the tables of topics and templates. Whatever the length of a
 * reply could tell is taken away: within each kind and split exactly half of the chosen replies are the longer
 * ones, or both replies are equally long.
 */

import { type Random, seededRandom } from "./random.ts";
import { KINDS, type Kind, SPLITS, type Split, TEMPLATES } from "./templates.ts";
import { EVAL_TOPICS, type Topic, TRAIN_TOPICS } from "./topics.ts";

/** One line of examples/prefs.jsonl. The prompt ends in a line feed, so prompt + reply reads as two lines. */
export interface ExamplePair {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly kind: Kind;
  readonly split: Split;
}

/** The seed of the committed file. */
export const EXAMPLE_SEED = 1;

/** Pairs of each kind, by split: 4 x (80 + 20) = 400. */
export const PAIRS_PER_KIND: Readonly<Record<Split, number>> = { train: 80, eval: 20 };

/** The largest difference in characters between the two replies of a pair. */
export const MAX_LENGTH_DIFFERENCE = 30;

const TOPICS: Readonly<Record<Split, readonly Topic[]>> = { train: TRAIN_TOPICS, eval: EVAL_TOPICS };

/** All pairs in a shuffled order, training pairs first. The same seed gives the same pairs. */
export function makePairs(seed: number): ExamplePair[] {
  const random = seededRandom(seed);
  return SPLITS.flatMap((split) => random.shuffled(KINDS.flatMap((kind) => pairsOf(kind, split, random))));
}

/** The text of a JSON Lines file: one object a line, each line ended. */
export function toJsonl(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function pairsOf(kind: Kind, split: Split, random: Random): ExamplePair[] {
  const topics = random.shuffled(TOPICS[split]);
  const seen = new Set<string>();
  const pairs: ExamplePair[] = [];
  for (let i = 0; i < PAIRS_PER_KIND[split]; i++) {
    const topic = topics[i % topics.length] as Topic;
    const round = Math.floor(i / topics.length);
    const pair = drawPair(kind, split, topic, (i + round) % 2 === 0, seen, random);
    seen.add(pair.chosen).add(pair.rejected);
    pairs.push(pair);
  }
  return pairs;
}

/** Draws until the lengths fit and neither reply has occurred. Garbled replies are as long as the chosen one. */
function drawPair(
  kind: Kind,
  split: Split,
  topic: Topic,
  chosenLonger: boolean,
  seen: ReadonlySet<string>,
  random: Random,
): ExamplePair {
  const patterns = TEMPLATES[kind][split];
  for (let attempt = 0; attempt < 2000; attempt++) {
    const [tip, tip2] = random.shuffled(topic.tips) as [string, string];
    const slots = { activity: topic.activity, thing: topic.thing, tip, tip2 };
    const chosen = fill(random.pick(patterns.chosen), slots);
    const rejected = patterns.rejected ? fill(random.pick(patterns.rejected), slots) : garble(chosen, random);
    if (seen.has(chosen) || seen.has(rejected)) continue;
    const difference = chosen.length - rejected.length;
    const fits = patterns.rejected
      ? difference !== 0 && difference > 0 === chosenLonger
      : chosen !== rejected;
    if (!fits || Math.abs(difference) > MAX_LENGTH_DIFFERENCE) continue;
    return { prompt: `${fill(random.pick(patterns.prompts), slots)}\n`, chosen, rejected, kind, split };
  }
  throw new Error(
    `no ${kind} pair of the right lengths about ${topic.activity}: vary the templates' lengths`,
  );
}

/** Replaces {slot} by its text, {Slot} by its text with a capital first letter. */
export function fill(template: string, slots: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = slots[name.toLowerCase()];
    if (text === undefined) throw new Error(`unknown slot {${name}} in "${template}"`);
    return name[0] === name[0]?.toLowerCase() ? text : text.charAt(0).toUpperCase() + text.slice(1);
  });
}

/** What a bad line leaves of a letter. */
const NOISE = ["#", "*", "~"] as const;

/** Spoils one inner letter of every word of four letters or more; the length stays. */
function garble(text: string, random: Random): string {
  return text.replace(/[A-Za-z]{4,}/g, (word) => {
    const at = 1 + random.below(word.length - 2);
    return word.slice(0, at) + random.pick(NOISE) + word.slice(at + 1);
  });
}
