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

/** One parent (of `parentLength` tokens, maybe 0) with the leaves that go on from it. */
export interface Tree {
  readonly sequences: readonly Int32Array[];
  readonly shortest: number;
  readonly common: number;
  readonly parentLength: number;
}

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
  const parent = parentLengthOf(sequences.length, common, shortest);
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
    const { cost, index, tree } = this.#place(item);
    this.trees[index] = tree;
    this.tokens += cost;
    if (item.key !== undefined) {
      const known = this.#treesOf.get(item.key) ?? [];
      if (!known.includes(index)) known.push(index);
      this.#treesOf.set(item.key, known);
    }
    return index;
  }

  #place(item: ItemShape): { cost: number; index: number; tree: Tree } {
    const { sequences, shortest, common } = item;
    const parentLength = parentLengthOf(sequences.length, common, shortest);
    let best = {
      cost: item.tokens,
      index: this.trees.length,
      tree: { sequences, shortest, common, parentLength },
    };
    if (item.key === undefined) return best;
    for (const index of this.#treesOf.get(item.key) ?? []) {
      const old = this.trees[index]!;
      const tree = join(old, item);
      const cost = item.length - saved(tree) + saved(old);
      if (cost < best.cost) best = { cost, index, tree };
    }
    return best;
  }
}

function join(tree: Tree, item: ItemShape): Tree {
  const sequences = [...tree.sequences, ...item.sequences];
  const shortest = Math.min(tree.shortest, item.shortest);
  const between = commonPrefix(tree.sequences[0]!, item.sequences[0]!);
  const common = Math.min(tree.common, item.common, between);
  return { sequences, shortest, common, parentLength: parentLengthOf(sequences.length, common, shortest) };
}

function saved(tree: Tree): number {
  return (tree.sequences.length - 1) * tree.parentLength;
}

/** Every leaf owns a row, so the parent ends before the shortest one does; a lone sequence has no parent. */
function parentLengthOf(leaves: number, common: number, shortest: number): number {
  return leaves < 2 ? 0 : Math.min(common, shortest - 1);
}

function commonPrefix(a: Int32Array, b: Int32Array): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i += 1;
  return i;
}
