/** @file Where a reply begins among a sequence's tokens: what the implicit reward and the language model's loss count from. */

/** How a sequence was cut to the limit. */
export interface Cut {
  readonly whole: Int32Array;
  readonly cut: Int32Array;
  /** Tokens of the prompt that the whole sequence begins with; 0 without a prompt. */
  readonly kept: number;
  /** How many tokens at the end close the sequence (EOS, end of turn); a cut at the right keeps them. */
  readonly ending: number;
}

/**
 * Index of the first token of the reply in `cut`, from 1 (nothing stands before a sequence's first token, so it has no
 * probability) to the length of `cut` (no token of the reply is left). A token that prompt and reply have in common
 * at their border counts as the reply's, as do EOS and end of turn.
 */
export function replyStart({ whole, cut, kept, ending }: Cut, side: "drop" | "left" | "right", bos?: number) {
  const lost = whole.length - cut.length;
  let start = kept;
  if (lost > 0 && side === "right") start = Math.min(kept, cut.length - Math.min(ending, cut.length));
  if (lost > 0 && side === "left") {
    // A cut at the left keeps a leading BOS.
    const head = cut[0] === bos ? 1 : 0;
    start = kept <= head ? kept : Math.max(head, kept - lost);
  }
  return Math.min(Math.max(start, 1), cut.length);
}
