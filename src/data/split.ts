/** @file Training and evaluation records from one file, so that no prompt stands on both sides. */
import { InputError } from "../errors.ts";
import type { Content } from "./content.ts";
import { promptKey } from "./prompt-key.ts";
import { permutation, Random, STREAMS } from "./random.ts";

/** Indices into the records, ascending on both sides. */
export interface Split {
  readonly train: number[];
  readonly eval: number[];
}

/**
 * What may not be shared across a split: the prompt, or the set of replies where a record has no prompt (whole
 * conversations, minimal pairs).
 */
export function splitKey(content: Content): string {
  const prompt = promptKey(content);
  const key = prompt === "" ? [...content.replies].map(String).sort() : [prompt];
  return JSON.stringify([content.kind, key]);
}

/**
 * About `fraction` of the records (at least one) go to evaluation, whole groups of equal prompts at a time, drawn by
 * `seed`. A group that is larger than what is left to draw stays in training.
 * @param fraction in [0, 1); 0 leaves the evaluation side empty.
 * @throws InputError where there are too few prompts to hold any out.
 */
export function splitByPrompt(contents: readonly Content[], fraction: number, seed: number): Split {
  if (!(fraction >= 0 && fraction < 1))
    throw new InputError(`--eval-split is a share from 0 up to 1, not ${fraction}`);
  if (fraction === 0) return { train: contents.map((_, i) => i), eval: [] };
  const groups = new Map<string, number[]>();
  for (const [i, content] of contents.entries()) {
    const key = splitKey(content);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  if (groups.size < 2) {
    throw new InputError(
      `all ${contents.length} records share one prompt, so none can be held out; give --eval-data FILE or --eval-split 0`,
    );
  }
  const held = draw([...groups.values()], Math.max(1, Math.round(fraction * contents.length)), seed);
  const split: Split = { train: [], eval: [] };
  for (const i of contents.keys()) (held.has(i) ? split.eval : split.train).push(i);
  return split;
}

/** Groups in random order while they fit; the smallest one where even the first would not. */
function draw(groups: readonly number[][], wanted: number, seed: number): Set<number> {
  const order = permutation(groups.length, new Random(seed, STREAMS.split));
  const held = new Set<number>();
  // One group always stays behind: training may not be empty.
  for (const g of order.subarray(1)) {
    const group = groups[g]!;
    if (held.size + group.length <= wanted) for (const i of group) held.add(i);
  }
  if (held.size > 0) return held;
  return new Set(groups.reduce((smallest, group) => (group.length < smallest.length ? group : smallest)));
}

/** The order in which an epoch visits `n` records: another permutation for each (seed, epoch). */
export function epochOrder(n: number, seed: number, epoch: number): Int32Array {
  return permutation(n, new Random(seed, STREAMS.shuffle, epoch));
}
