/**
 * @file Which sequences share a prompt: items (a text, a pair, a list) become trees of one parent and its leaves, and
 * items with equal prompts share one tree where that leaves fewer tokens to compute.
 */
import { RmtrainError } from "../errors.ts";

/** One record's sequences, each of at least one token. */
export interface Item {
  readonly sequences: readonly Int32Array[];
  /** Equal for items that may share a parent; without it, items with equal parents may. */
  readonly group?: string;
}

/** What the forest needs to know of an item, computed once. */
export interface ItemShape {
  readonly sequences: readonly Int32Array[];
  readonly key: string | undefined;
  /** Sum of the sequences' lengths. */
  readonly length: number;
  readonly shortest: number;
  /** Longest common prefix, not cut to shortest - 1. */
  readonly common: number;
  /** Tokens to compute where the item is a tree of its own. */
  readonly tokens: number;
}

/** What leaves have in common, and the parent that follows from it. */
interface Stem {
  readonly shortest: number;
  readonly common: number;
  /** Tokens of the parent; 0 where there is none. */
  readonly parentLength: number;
}

/** One parent, maybe none, with the sequences that go on from it. */
export interface Tree {
  readonly sequences: Int32Array[];
  stem: Stem;
}

/** Where an item would go: the tree's index (a new one: the number of trees), its stem then, the tokens added. */
interface Place {
  readonly cost: number;
  readonly index: number;
  readonly stem: Stem;
}

/** @throws RmtrainError on an item without sequences or an empty sequence, which tokenising has refused before. */
export function shapeOf(item: Item): ItemShape {
  const { sequences } = item;
  const first = sequences[0];
  if (first === undefined) throw new RmtrainError("an item without sequences can't be packed");
  let length = 0;
  let shortest = Number.POSITIVE_INFINITY;
  let common = first.length;
  for (const ids of sequences) {
    if (ids.length === 0) throw new RmtrainError("an empty sequence can't be packed");
    length += ids.length;
    shortest = Math.min(shortest, ids.length);
    common = Math.min(common, commonPrefix(first, ids));
  }
  const parent = stemOf(sequences.length, common, shortest).parentLength;
  const key = item.group ?? (parent > 0 ? first.subarray(0, parent).join() : undefined);
  return { sequences, key, length, shortest, common, tokens: length - (sequences.length - 1) * parent };
}

/** Trees that grow item by item. The same items in the same order always give the same trees. */
export class Forest {
  /** In the order in which they were begun. */
  readonly trees: Tree[] = [];
  /** T: tokens to compute. */
  tokens = 0;
  readonly #treesOf = new Map<string, number[]>();

  /** By how many tokens `add(item)` would grow the forest: at most `item.tokens`. */
  cost(item: ItemShape): number {
    return this.#place(item).cost;
  }

  /** Adds the item where it costs least: to a tree of its key, or as a tree of its own. Returns the tree's index. */
  add(item: ItemShape): number {
    const { cost, index, stem } = this.#place(item);
    this.tokens += cost;
    const tree = this.trees[index];
    if (tree !== undefined) {
      tree.sequences.push(...item.sequences);
      tree.stem = stem;
      return index;
    }
    this.trees.push({ sequences: [...item.sequences], stem });
    if (item.key !== undefined) {
      const known = this.#treesOf.get(item.key);
      if (known === undefined) this.#treesOf.set(item.key, [index]);
      else known.push(index);
    }
    return index;
  }

  #place(item: ItemShape): Place {
    let best: Place = {
      cost: item.tokens,
      index: this.trees.length,
      stem: stemOf(item.sequences.length, item.common, item.shortest),
    };
    if (item.key === undefined) return best;
    for (const index of this.#treesOf.get(item.key) ?? []) {
      const { sequences, stem: old } = this.trees[index]!;
      const between = commonPrefix(sequences[0]!, item.sequences[0]!);
      const leaves = sequences.length + item.sequences.length;
      const common = Math.min(old.common, item.common, between);
      const stem = stemOf(leaves, common, Math.min(old.shortest, item.shortest));
      const cost = item.length - (leaves - 1) * stem.parentLength + (sequences.length - 1) * old.parentLength;
      if (cost < best.cost) best = { cost, index, stem };
    }
    return best;
  }
}

/** Every leaf owns a row, so the parent ends before the shortest one does; a lone sequence has no parent. */
function stemOf(leaves: number, common: number, shortest: number): Stem {
  return { shortest, common, parentLength: leaves < 2 ? 0 : Math.min(common, shortest - 1) };
}

function commonPrefix(a: Int32Array, b: Int32Array): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i += 1;
  return i;
}
