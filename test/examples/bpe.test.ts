/** @file The BPE trainer learns the merges that the counts imply, and any text survives the vocabulary. */

import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteSymbols, countWords, trainBpe } from "../../scripts/lib/bpe.ts";
import { EOS, SPECIALS, tokenizerConfig, tokenizerJson } from "../../scripts/lib/tokenizer-files.ts";

const learn = (text: string, merges: number) => trainBpe(countWords([text]), 258 + merges, SPECIALS);

describe("trainBpe", () => {
  it("merges the most frequent pair first, then what it makes possible", () => {
    // Words: "low" 3 times, " lower" twice: lo (5), then low (5), then the blank before it (2, the smallest id).
    const { merges, symbols } = learn("low\nlow\nlow lower lower", 3);
    expect(merges).toEqual([
      ["l", "o"],
      ["lo", "w"],
      ["Ġ", "low"],
    ]);
    expect(symbols.slice(-3)).toEqual(["lo", "low", "Ġlow"]);
  });

  it("merges overlapping repeats from the left", () => {
    const { merges } = learn("aaaa aaaa", 2);
    expect(merges[0]).toEqual(["a", "a"]);
    expect(merges[1]).toEqual(["aa", "aa"]);
  });

  it("stops where no pair occurs twice", () => {
    expect(learn("abc", 100).merges).toEqual([]);
  });

  it("gives every symbol one id: specials, 256 bytes, merges", () => {
    const { symbols } = learn("the cat and the hat and the bat", 20);
    expect(symbols.slice(0, 2)).toEqual([...SPECIALS]);
    expect(new Set(byteSymbols()).size).toBe(256);
    expect(new Set(symbols).size).toBe(symbols.length);
  });
});

describe("the tokenizer file", () => {
  const vocabulary = learn(
    "The little cat sat on the mat, and the other cat didn't.\n\nIt's 42 or 1984?",
    60,
  );
  const tokenizer = new Tokenizer(tokenizerJson(vocabulary), tokenizerConfig(16));

  it("gives back any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        fc.pre(!SPECIALS.some((special) => text.includes(special)));
        const ids: number[] = tokenizer.encode(text).ids;
        expect(tokenizer.decode(ids)).toBe(text);
        expect(ids.every((id) => id >= SPECIALS.length && id < vocabulary.symbols.length)).toBe(true);
      }),
    );
  });

  it("adds no special token by itself, and knows its own", () => {
    expect(tokenizer.encode("").ids).toEqual([]);
    expect(tokenizer.encode(`the${EOS}`).ids.at(-1)).toBe(0);
  });
});
