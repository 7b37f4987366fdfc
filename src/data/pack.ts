/** @file Items of sequences laid end to end as a packed batch, and many items divided into batches of a budget. */
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { Forest, type Item, type ItemShape, shapeOf } from "./forest.ts";

export type { Item } from "./forest.ts";

/**
 * One batch of all items, in the given order: sequence n of the batch is the n-th of the items' sequences laid end
 * to end. Trees stand in the order of their first item, a parent before its leaves.
 */
export function pack(items: readonly Item[]): PackedBatch {
  const forest = new Forest();
  const treeOfSequence = items.flatMap((item) => {
    const tree = forest.add(shapeOf(item));
    return item.sequences.map(() => tree);
  });
  const ids = new Int32Array(forest.tokens);
  const positions = new Int32Array(forest.tokens);
  const segments: number[] = [];
  let row = 0;

  const layOut = (
    sequence: Int32Array,
    from: number,
    to: number,
    parentStart: number,
    parentLength: number,
  ) => {
    segments.push(parentStart, parentLength, row, to - from);
    for (let p = from; p < to; p++, row++) {
      ids[row] = sequence[p]!;
      positions[row] = p;
    }
  };

  /** Per tree, the segments of its leaves in the order in which its sequences came. */
  const leaves = forest.trees.map(({ sequences, stem: { parentLength } }) => {
    const start = parentLength > 0 ? row : 0;
    if (parentLength > 0) layOut(sequences[0]!, 0, parentLength, 0, 0);
    const first = segments.length / 4;
    for (const sequence of sequences) layOut(sequence, parentLength, sequence.length, start, parentLength);
    return { next: first };
  });

  const sequenceSegments = Int32Array.from(treeOfSequence, (tree) => leaves[tree]!.next++);
  let maxPath = 0;
  for (const item of items)
    for (const sequence of item.sequences) maxPath = Math.max(maxPath, sequence.length);
  return {
    rows: row,
    ids,
    positions,
    segments: Int32Array.from(segments),
    sequenceSegments,
    maxPath,
    paddedTokens: sequenceSegments.length * maxPath,
  };
}

/** How many items are sorted together: few enough that placing them stays quick... */
const WINDOW = 2048;
/** ...but short ones until they fill so many batches. */
const BATCHES = 16;
/** Items seldom fill batches to the last token; with this much of their room, one more for the rest is rarely begun. */
const USABLE = 0.97;

/** Tokens of items that fill about so many batches: 95 % of their room or more, for items far below the budget. */
export function windowTokens(batches: number, tokenBudget: number): number {
  return USABLE * batches * tokenBudget;
}

/**
 * Divides items into batches of at most `tokenBudget` computed tokens each; an item larger than that is a batch of its
 * own. Within each window of items the longest come first, with the items of equal prompts beside each other, and each
 * goes to the batch where it costs least.
 * @param window items sorted together; default 2048, or more where so many fill fewer than 16 batches
 * @returns per batch, indices into `items`, each once: `pack(batch.map((i) => items[i]))` keeps to the budget, and the
 * index says where a result belongs.
 */
export function planBatches(items: readonly Item[], tokenBudget: number, window?: number): number[][] {
  const batches: number[][] = [];
  let start = 0;
  let shapes: ItemShape[] = [];
  let tokens = 0;
  const least = window === undefined ? windowTokens(BATCHES, tokenBudget) : 0;
  const close = () => {
    for (const batch of fill(shapes, tokenBudget)) batches.push(batch.map((i) => start + i));
    start += shapes.length;
    shapes = [];
    tokens = 0;
  };
  for (const item of items) {
    const shape = shapeOf(item);
    shapes.push(shape);
    tokens += shape.tokens;
    if (shapes.length >= (window ?? WINDOW) && tokens >= least) close();
  }
  close();
  return batches;
}

function fill(shapes: readonly ItemShape[], tokenBudget: number): number[][] {
  const bins: { forest: Forest; indices: number[] }[] = [];
  for (const i of longestFirst(shapes)) {
    const shape = shapes[i]!;
    let best: (typeof bins)[number] | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const bin of bins) {
      const cost = bin.forest.cost(shape);
      if (cost < least && bin.forest.tokens + cost <= tokenBudget) {
        best = bin;
        least = cost;
      }
    }
    if (best === undefined) {
      best = { forest: new Forest(), indices: [] };
      bins.push(best);
    }
    best.forest.add(shape);
    best.indices.push(i);
  }
  return bins.map((bin) => bin.indices);
}

/** Indices by falling tokens; items of one key stand together, at the place of the largest of them. */
function longestFirst(shapes: readonly ItemShape[]): number[] {
  const families = new Map<string | number, { largest: number; members: number[] }>();
  for (const [i, shape] of shapes.entries()) {
    const family = families.get(shape.key ?? i) ?? { largest: 0, members: [] };
    family.largest = Math.max(family.largest, shape.tokens);
    family.members.push(i);
    families.set(shape.key ?? i, family);
  }
  return [...families.values()]
    .sort((a, b) => b.largest - a.largest)
    .flatMap(({ members }) => members.sort((a, b) => shapes[b]!.tokens - shapes[a]!.tokens));
}
