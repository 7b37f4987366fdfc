/**
 * @file Which pad_token_id a checkpoint of ours is saved with. Hugging Face reads the reward at the rightmost id that
 * isn't pad_token_id; so that it finds our last token, that id must never be one that a sequence can end in
 * (https://github.com/huggingface/transformers/issues/35352).
 */
import type { InputRecipe } from "./recipe.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface SavedPadding {
  readonly padTokenId: number;
  /** The id lies just past the vocabulary: the embedding is saved with one more row. */
  readonly grow: boolean;
}

/**
 * The tokenizer's pad, else another special token; never the EOS or the unknown token. A text does not end in those unless it spells them
 * out, since the post-processor puts them at the beginning. Without a tokenizer a sequence may end in any id, so the
 * vocabulary grows.
 * @param lastIds that sequences of the data end in: records of ids may end in a special token
 */
export function savedPadding(
  vocabSize: number,
  recipe: InputRecipe,
  tokenizer?: Tokenizer,
  lastIds: Iterable<number> = [],
): SavedPadding {
  const ends = new Set([recipe.eosTokenId, tokenizer?.eosTokenId, tokenizer?.unkTokenId, ...lastIds]);
  const candidates = [tokenizer?.padTokenId, tokenizer?.bosTokenId, ...(tokenizer?.specialIds ?? [])];
  const pad = candidates.find((id) => id !== undefined && id < vocabSize && !ends.has(id));
  return pad === undefined ? { padTokenId: vocabSize, grow: true } : { padTokenId: pad, grow: false };
}
