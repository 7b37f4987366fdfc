/** @file Which rows of a packed batch predict the tokens of its replies. */
import { type PackedBatch, rowOf, sequenceLength } from "../kernels/packed-batch.ts";

/** The E reply tokens of N sequences of a batch, sequence by sequence. A shared prompt's last row predicts the first token of each reply. */
export interface ReplyEntries {
  /** [E] the row whose hidden state predicts the token. */
  readonly rows: Int32Array;
  /** [E] the token's id. */
  readonly targets: Int32Array;
  /** [N + 1] entries offsets[n] .. offsets[n + 1] - 1 are those of the n-th sequence; equal where it has none. */
  readonly offsets: Int32Array;
}

/**
 * @param replyStarts per sequence, in the batch's order, the index of its first reply token. A sequence's first token
 * has nothing before it to predict it, and is left out.
 * @param order [N] which sequences, and in which order. Default: all, in the batch's order.
 */
export function replyEntries(
  batch: PackedBatch,
  replyStarts: ArrayLike<number>,
  order: Int32Array = batch.sequenceSegments.map((_, n) => n),
): ReplyEntries {
  const offsets = new Int32Array(order.length + 1);
  const firsts = Array.from(order, (n, i) => {
    const start = replyStarts[n];
    const length = sequenceLength(batch, n);
    if (start === undefined || start < 0 || start > length)
      throw new Error(`sequence ${n} of ${length} tokens has no reply that begins at ${start}`);
    const first = Math.max(start, 1);
    offsets[i + 1] = offsets[i]! + Math.max(0, length - first);
    return first;
  });
  const entries = offsets[order.length]!;
  const rows = new Int32Array(entries);
  const targets = new Int32Array(entries);
  for (const [i, n] of order.entries()) {
    for (let e = offsets[i]!, p = firsts[i]!; e < offsets[i + 1]!; e++, p++) {
      rows[e] = rowOf(batch, n, p - 1);
      targets[e] = batch.ids[rowOf(batch, n, p)]!;
    }
  }
  return { rows, targets, offsets };
}
