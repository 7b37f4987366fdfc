/** @file Random packed forests and the activations over them. */
import fc from "fast-check";
import type { AttentionOptions } from "../../src/kernels/attention.ts";
import type { PackedBatch } from "../../src/kernels/packed-batch.ts";

/** One tree: a prompt of so many tokens (0: none) and the lengths of its replies; without replies, a lone sequence. */
export interface TreeShape {
  readonly prompt: number;
  readonly replies: readonly number[];
}

/** Trees laid end to end; every reply is a sequence, and every prompt without replies. */
export function forestOf(trees: readonly TreeShape[]): PackedBatch {
  const segments: number[] = [];
  const positions: number[] = [];
  const sequenceSegments: number[] = [];
  const lay = (parentStart: number, parentLength: number, length: number) => {
    segments.push(parentStart, parentLength, positions.length, length);
    for (let i = 0; i < length; i++) positions.push(parentLength + i);
    return segments.length / 4 - 1;
  };
  for (const { prompt, replies } of trees) {
    const start = positions.length;
    if (prompt > 0) {
      const parent = lay(0, 0, prompt);
      if (replies.length === 0) sequenceSegments.push(parent);
    }
    for (const length of replies) sequenceSegments.push(lay(prompt > 0 ? start : 0, prompt, length));
  }
  return {
    rows: positions.length,
    ids: new Int32Array(positions.length),
    positions: Int32Array.from(positions),
    segments: Int32Array.from(segments),
    sequenceSegments: Int32Array.from(sequenceSegments),
    maxPath: Math.max(0, ...positions.map((p) => p + 1)),
    paddedTokens: 0,
  };
}

const length = fc.integer({ min: 1, max: 40 });

/** Up to three trees: prompts without replies, replies without prompts, and both. */
export const forests: fc.Arbitrary<PackedBatch> = fc
  .array(
    fc.record({ prompt: fc.integer({ min: 0, max: 45 }), replies: fc.array(length, { maxLength: 3 }) }),
    { maxLength: 3 },
  )
  .map(forestOf);

/**
 * Trees of replies that share tiles of query rows: many short ones, some longer than a tile, prompts shorter than a tile
 * of keys and longer than several, and lone sequences between them.
 */
export const siblingForests: fc.Arbitrary<PackedBatch> = fc
  .array(
    fc.record({
      prompt: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 15, max: 70 })),
      replies: fc.array(
        fc.oneof({ arbitrary: fc.integer({ min: 1, max: 9 }), weight: 4 }, { arbitrary: length, weight: 1 }),
        { maxLength: 9 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(forestOf);

/** Heads in groups of up to three that share a key/value head. */
export const groupedHeads = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }))
  .map(([group, kvHeads]) => ({ heads: group * kvHeads, kvHeads }));

/** Columns of q, k and v side by side. */
export const qkvColumns = ({ heads, kvHeads, headDim }: AttentionOptions): number =>
  (heads + 2 * kvHeads) * headDim;

/** q [T, heads, headDim], k and v [T, kvHeads, headDim] out of rows of all three. */
export function splitHeads(
  qkv: Float32Array,
  options: AttentionOptions,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { heads, kvHeads, headDim } = options;
  const rows = qkv.length / qkvColumns(options);
  const part = (from: number, count: number) => {
    const x = new Float64Array(rows * count * headDim);
    for (let t = 0; t < rows; t++) {
      const begin = t * qkvColumns(options) + from * headDim;
      x.set(qkv.subarray(begin, begin + count * headDim), t * count * headDim);
    }
    return x;
  };
  return { q: part(0, heads), k: part(heads, kvHeads), v: part(heads + kvHeads, kvHeads) };
}

/** Rows of a [T, cols] matrix, side by side in another order. */
export function gather(x: Float32Array, cols: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => {
    out.set(x.subarray(row * cols, (row + 1) * cols), i * cols);
  });
  return out;
}
