/** @file Special tokens where a text should have none: a second BOS, a BOS in the middle, characters without a token. */
import { findingOf } from "./finding.ts";
import { counted, inEachSet, sideFinding, sidesWhere } from "./input.ts";

/**
 * Sequences that begin with two BOS: the text (or its template) spells one out, and the tokenizer adds one.
 * https://github.com/allenai/reward-bench/issues/164, https://github.com/OpenRLHF/OpenRLHF/issues/393
 */
export const doubledBos = inEachSet((set, { tokenizer }) => {
  const bos = tokenizer?.bosTokenId;
  if (bos === undefined) return [];
  const doubled = sidesWhere(set, ({ ids }) => ids[0] === bos && ids[1] === bos);
  return sideFinding(
    "doubled-bos",
    set,
    doubled,
    (count) =>
      `${count} begin with the BOS (id ${bos}) twice: take it out of the texts, the tokenizer adds one itself`,
  );
});

/** A BOS after other tokens: prompt and reply were each tokenised with one, or a text happens to spell it out. */
export const bosInside = inEachSet((set, { tokenizer }) => {
  const bos = tokenizer?.bosTokenId;
  // Where one token begins and ends texts (GPT-2), it may stand inside too.
  if (bos === undefined || bos === tokenizer?.eosTokenId) return [];
  const inside = sidesWhere(set, ({ ids }) => ids.lastIndexOf(bos) > leading(ids, bos));
  return sideFinding(
    "bos-inside",
    set,
    inside,
    (count) =>
      `${count} have a BOS (id ${bos}) after other tokens: the text spells it out, or the reply was tokenised on its own`,
  );
});

/** The index of the last BOS of those that begin a sequence; -1 where none does. */
function leading(ids: Int32Array, bos: number): number {
  let n = 0;
  while (ids[n] === bos) n += 1;
  return n - 1;
}

/** What the vocabulary cannot write becomes the unknown token, the same for whatever stood there. */
export const unknownTokens = inEachSet((set, { tokenizer }) => {
  const unk = tokenizer?.unkTokenId;
  // Some tokenizers name a token of another use (GPT-2: its EOS), and never produce it.
  if (unk === undefined || unk === tokenizer?.eosTokenId || unk === tokenizer?.bosTokenId) return [];
  const unknown = sidesWhere(set, ({ ids }) => ids.includes(unk));
  const tokens = unknown.reduce((sum, { ids }) => sum + ids.filter((id) => id === unk).length, 0);
  const message = `${counted(set, unknown)} hold ${tokens} unknown tokens (id ${unk}): the vocabulary cannot write these texts`;
  return findingOf(
    "unknown-tokens",
    "warning",
    unknown.map(({ where }) => where),
    message,
    set.name,
  );
});
