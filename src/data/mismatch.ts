/** @file KTO's mismatched sequences: each prompt of a batch with the reply to another one (arXiv 2402.01306, section 4.1). */
import type { Item } from "./forest.ts";

/** One sequence, and where its reply begins. */
export interface RowSequence {
  readonly item: Item;
  readonly replyStarts: readonly number[];
}

/**
 * For n >= 2 rows of one batch n sequences: the prompt of row i, then the reply of row i - 1 (of row 0: of the last), as
 * TRL rotates them; where that row has the same prompt, of the nearest one before it that has another, if any has.
 * Joined as ids, so that no reply is tokenised anew; a sequence longer than `maxLength` loses the end of its reply.
 */
export function mismatched(
  rows: readonly RowSequence[],
  maxLength = Number.POSITIVE_INFINITY,
): RowSequence[] {
  return rows.map((row, i) => {
    // Nearest first: i - 1 down to 0, then from the last row on.
    const before = [...rows.slice(i + 1), ...rows.slice(0, i)].reverse();
    const other = before.find((candidate) => !samePrompt(candidate, row)) ?? before[0];
    const { item, replyStarts } = row;
    const start = replyStarts[0] ?? 0;
    const prompt = promptOf(row);
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

/**
 * The same in blocks of `size` rows, in their order; a last block of one row belongs to the one before it.
 * @throws Error for less than two rows in all or in a block
 */
export function mismatchedInBlocks(
  rows: readonly RowSequence[],
  size: number,
  maxLength = Number.POSITIVE_INFINITY,
): RowSequence[] {
  if (rows.length < 2 || size < 2) throw new Error("a mismatched row needs a batch of at least two rows");
  const found: RowSequence[] = [];
  for (let at = 0; at < rows.length; ) {
    const left = rows.length - at;
    const count = left - size === 1 ? size + 1 : Math.min(size, left);
    found.push(...mismatched(rows.slice(at, at + count), maxLength));
    at += count;
  }
  return found;
}

const promptOf = ({ item, replyStarts }: RowSequence): Int32Array =>
  item.sequences[0]?.subarray(0, replyStarts[0] ?? 0) ?? new Int32Array();

function samePrompt(a: RowSequence, b: RowSequence): boolean {
  const [ids, others] = [promptOf(a), promptOf(b)];
  return ids.length === others.length && ids.every((id, i) => id === others[i]);
}
