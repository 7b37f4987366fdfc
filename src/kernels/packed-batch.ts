/**
 * @file The host's description of one packed batch: a forest of token segments laid end to end on one [T] axis,
 * with no padding and every shared prompt computed once. Kernels read it; src/data/pack.ts builds it.
 *
 * A *segment* is a run of consecutive rows. A *root* segment has no parent; a *leaf* segment may have one parent
 * (depth 2). A *sequence* is the path root -> leaf, or a lone root. Its token at *path position* p lies in row
 * `p < parentLength ? parentStart + p : segmentStart + (p - parentLength)`.
 */

export interface PackedBatch {
  /** T: rows (tokens) in the batch. */
  readonly rows: number;
  /** [T] token id of each row. */
  readonly ids: Int32Array;
  /** [T] path position of each row (what a plain sequence would call its position). */
  readonly positions: Int32Array;
  /**
   * [S, 4] per segment: parent start row, parent length (0: no parent), start row, length.
   * Segments are in row order and cover every row exactly once; a parent stands before its leaves.
   */
  readonly segments: Int32Array;
  /** [N] the segment in which sequence n ends, in the order in which the sequences were given. */
  readonly sequenceSegments: Int32Array;
  /** Longest path of the batch, in tokens. */
  readonly maxPath: number;
  /** Tokens that a batch padded to its longest sequence would have computed: N x the longest sequence. */
  readonly paddedTokens: number;
}

/** Row of the token at path position `p` of sequence `n`. */
export function rowOf(batch: PackedBatch, n: number, p: number): number {
  const s = 4 * batch.sequenceSegments[n]!;
  const parentLength = batch.segments[s + 1]!;
  return p < parentLength ? batch.segments[s]! + p : batch.segments[s + 2]! + p - parentLength;
}

/** Tokens on the path of sequence `n`. */
export function sequenceLength(batch: PackedBatch, n: number): number {
  const s = 4 * batch.sequenceSegments[n]!;
  return batch.segments[s + 1]! + batch.segments[s + 3]!;
}
