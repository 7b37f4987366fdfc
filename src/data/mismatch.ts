/** @file KTO's mismatched sequences: each prompt of a batch with the reply to another one (arXiv 2402.01306, section 4.1). */
import type { Item } from "./forest.ts";

/** One sequence, and where its reply begins. */
export interface RowSequence {
  readonly item: Item;
  readonly replyStarts: readonly number[];
}

/**
 * For n >= 2 rows of one batch n sequences: the prompt of row i, then the reply of row i - 1 (of row 0: of the last), as
 * TRL rotates them. Joined as ids, so that no reply is tokenised anew; a sequence longer than `maxLength` loses the
 * end of its reply.
 */
export function mismatched(
  rows: readonly RowSequence[],
  maxLength = Number.POSITIVE_INFINITY,
): RowSequence[] {
  return rows.map(({ item, replyStarts }, i) => {
    const other = rows.at(i - 1);
    const start = replyStarts[0] ?? 0;
    const prompt = item.sequences[0]?.subarray(0, start) ?? new Int32Array();
    const reply = other?.item.sequences[0]?.subarray(other.replyStarts[0] ?? 0) ?? new Int32Array();
    const joined = new Int32Array(prompt.length + reply.length);
    joined.set(prompt);
    joined.set(reply, prompt.length);
    return {
      item: {
        sequences: [joined.subarray(0, maxLength)],
        ...(item.group === undefined ? {} : { group: item.group }),
      },
      replyStarts: [Math.min(start, maxLength)],
    };
  });
}
