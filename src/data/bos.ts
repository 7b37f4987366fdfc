/** @file How texts begin: with the BOS that the tokenizer's post-processor puts there, with exactly one, or with none. */

/**
 * auto: a plain text begins as the tokenizer's own post-processor has it; a rendered conversation as its template
 * wrote it. always: exactly one BOS. never: none.
 */
export const bosRules = ["auto", "always", "never"] as const;
export type BosRule = (typeof bosRules)[number];

/** How many BOS a sequence begins with. */
export function countLeadingBos(ids: Int32Array, bosTokenId: number): number {
  let n = 0;
  while (ids[n] === bosTokenId) n += 1;
  return n;
}

/** @param ids as the tokenizer gave them under "auto" */
export function applyBos(ids: Int32Array, rule: BosRule, bosTokenId: number | undefined): Int32Array {
  if (rule === "auto" || bosTokenId === undefined) return ids;
  const rest = ids.subarray(countLeadingBos(ids, bosTokenId));
  if (rule === "never") return rest;
  const begun = new Int32Array(rest.length + 1);
  begun[0] = bosTokenId;
  begun.set(rest, 1);
  return begun;
}
