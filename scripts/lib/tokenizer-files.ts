/** @file A trained vocabulary in Hugging Face's file formats: tokenizer.json and tokenizer_config.json. */

import type { BpeVocabulary } from "./bpe.ts";

/** Begins and ends a text; never produced by encoding text other than itself. */
export const EOS = "<|endoftext|>";
/** Fills up batches elsewhere. A sequence never ends in it, so "the last token that isn't pad" is well defined. */
export const PAD = "<|pad|>";
/** In this order they are the ids 0 and 1. */
export const SPECIALS = [EOS, PAD] as const;

/**
 * tokenizer.json of a byte-level BPE, as GPT-2's.
 * @param bos whether it begins every text with EOS, which is the BOS too; it never adds one at the end
 */
export function tokenizerJson(vocabulary: BpeVocabulary, { bos = false }: { bos?: boolean } = {}): object {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const sequence = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  const template = {
    type: "TemplateProcessing",
    single: [special(EOS), sequence("A")],
    pair: [special(EOS), sequence("A"), special(EOS), sequence("B")],
    special_tokens: { [EOS]: { id: EOS, ids: [SPECIALS.indexOf(EOS)], tokens: [EOS] } },
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: bos ? template : byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.symbols.map((symbol, id) => [symbol, id])),
      merges: vocabulary.merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}

/** tokenizer_config.json to go with it. */
export function tokenizerConfig(maxLength: number): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: EOS,
    eos_token: EOS,
    pad_token: PAD,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: maxLength,
  };
}
