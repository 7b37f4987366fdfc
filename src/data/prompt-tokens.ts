/** @file A prompt tokenised alone beside the sequences that begin with it: where they merge, what the limit leaves of both. */

export interface PromptTokens {
  /** Tokens of the prompt alone, with the special tokens that begin it. */
  readonly length: number;
  /** Per reply, how many of these its whole sequence begins with; fewer where prompt and reply merge into one token. */
  readonly kept: readonly number[];
  /** Per reply, whether the limit cut away all of it (what closes it apart). */
  readonly replyGone: readonly boolean[];
  /** Per reply, whether the limit cut away all of the prompt before it (a leading BOS apart). */
  readonly promptGone: readonly boolean[];
}

/**
 * @param alone ids of the prompt alone
 * @param whole the sequences before the limit cut them, `cut` after
 * @param side where they were cut
 * @param ends the BOS, and per reply how many tokens at its end close it
 */
export function measurePrompt(
  alone: Int32Array,
  whole: readonly Int32Array[],
  cut: readonly Int32Array[],
  side: "drop" | "left" | "right",
  ends: { readonly bosTokenId?: number | undefined; readonly endings: readonly number[] },
): PromptTokens {
  const { bosTokenId, endings } = ends;
  const kept = whole.map((ids) => commonPrefix(ids, alone));
  const reply = whole.map((ids, i) => ids.length - kept[i]! - (endings[i] ?? 0));
  const lost = whole.map((ids, i) => ids.length - cut[i]!.length);
  // A cut at the left keeps a leading BOS.
  const head = cut.map((ids) => (bosTokenId !== undefined && ids[0] === bosTokenId ? 1 : 0));
  return {
    length: alone.length,
    kept,
    replyGone: lost.map((n, i) => side === "right" && reply[i]! > 0 && n >= reply[i]!),
    promptGone: lost.map((n, i) => side === "left" && n > 0 && n >= kept[i]! - head[i]!),
  };
}

/** How many ids two sequences begin with alike. */
export function commonPrefix(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}
