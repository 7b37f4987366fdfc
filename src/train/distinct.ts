/** @file Sequences told apart by their ids and the place where they are read: what is equal has one feature. */
import type { Item } from "../data/pack.ts";

/** Items with the key of each sequence: equal keys have equal features. */
export interface KeyedItems {
  readonly items: readonly Item[];
  /** Of each item's sequences. */
  readonly keys: readonly (readonly string[])[];
}

/** What is left of the items without the sequences that are known, each other one once. */
export function distinct({ items, keys }: KeyedItems, known: ReadonlyMap<string, number>): KeyedItems {
  const taken = new Set<string>();
  const left: { item: Item; keys: string[] }[] = [];
  for (const [i, item] of items.entries()) {
    const own = keys[i]!;
    const replies = own.flatMap((key, reply) => {
      if (known.has(key) || taken.has(key)) return [];
      taken.add(key);
      return [reply];
    });
    if (replies.length === 0) continue;
    const sequences = replies.map((reply) => item.sequences[reply]!);
    const group = item.group === undefined ? {} : { group: item.group };
    left.push({ item: { sequences, ...group }, keys: replies.map((reply) => own[reply]!) });
  }
  return { items: left.map((l) => l.item), keys: left.map((l) => l.keys) };
}
