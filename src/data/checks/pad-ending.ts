/** @file Sequences that end in pad_token_id, of which Hugging Face's rule would read an earlier token. */
import { readIndex } from "../../model/recipe.ts";
import { findingOf } from "./finding.ts";
import { counted, inEachSet, sidesWhere } from "./input.ts";

/**
 * Often the pad is the EOS: the base's own config then reads the reward before it. Training reads the last token and
 * saves another pad_token_id (model/padding.ts), so the result is read alike by both.
 * https://github.com/huggingface/transformers/issues/35352
 */
export const padEnding = inEachSet((set, { padTokenId, recipe, tokenizer }) => {
  if (padTokenId === undefined) return [];
  const rule = { readPosition: "rightmost-non-pad" } as const;
  const elsewhere = sidesWhere(
    set,
    ({ ids }) => readIndex(ids, rule, padTokenId) !== readIndex(ids, recipe, padTokenId),
  );
  const name = padTokenId === (recipe.eosTokenId ?? tokenizer?.eosTokenId) ? ", its EOS" : "";
  const message = `${counted(set, elsewhere)} end in the base's pad_token_id (${padTokenId}${name}), before which Hugging Face's rule would read the reward; here it is read at the last token, and the trained checkpoint gets another pad_token_id`;
  return findingOf(
    "pad-ending",
    "note",
    elsewhere.map(({ where }) => where),
    message,
    set.name,
  );
});
