/**
 * @file Trains a byte-level BPE vocabulary as GPT-2 has it (Sennrich et al. 2016; Radford et al. 2019): text is cut
 * into words by a regular expression, a word is its UTF-8 bytes, and the most frequent neighbouring pair of
 * symbols within words becomes a new symbol, again and again.
 */

/** GPT-2's pre-tokenisation: contractions, words and numbers with one leading blank, punctuation, blanks. */
const WORDS = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** A trained vocabulary. The symbols are written in GPT-2's printable stand-ins for bytes. */
export interface BpeVocabulary {
  /** All symbols; the index is the token id. Specials first, then the 256 bytes, then one per merge. */
  readonly symbols: readonly string[];
  /** The merged pairs in the order in which an encoder applies them. */
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * The printable character that stands for each byte in a byte-level vocabulary: itself where Latin-1 prints it,
 * else the next free code point from 256 upwards.
 */
export function byteSymbols(): string[] {
  const prints = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : next++));
}

/** How often each word occurs. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/**
 * Learns merges until the vocabulary, specials and bytes included, has `size` symbols or no pair occurs twice.
 * Of equally frequent pairs the one with the smaller ids wins, so equal counts give an equal vocabulary.
 */
export function trainBpe(
  counts: ReadonlyMap<string, number>,
  size: number,
  specials: readonly string[],
): BpeVocabulary {
  const symbols = [...specials, ...byteSymbols()];
  const merges: [string, string][] = [];
  const utf8 = new TextEncoder();
  const words = [...counts].map(([word, count]) => ({
    ids: Array.from(utf8.encode(word), (byte) => byte + specials.length),
    count,
  }));

  // A pair of ids is one number, left * size + right; beside its count stand the words that may hold it.
  const pairCounts = new Map<number, number>();
  const wordsWith = new Map<number, Set<number>>();
  const addPairs = (index: number, sign: 1 | -1): void => {
    const { ids, count } = words[index]!;
    for (let i = 0; i + 1 < ids.length; i++) {
      const pair = ids[i]! * size + ids[i + 1]!;
      const total = (pairCounts.get(pair) ?? 0) + sign * count;
      if (total === 0) pairCounts.delete(pair);
      else pairCounts.set(pair, total);
      if (sign === 1) {
        const holders = wordsWith.get(pair);
        if (holders) holders.add(index);
        else wordsWith.set(pair, new Set([index]));
      }
    }
  };
  for (let index = 0; index < words.length; index++) addPairs(index, 1);

  while (symbols.length < size) {
    let best = -1;
    let bestCount = 1;
    for (const [pair, count] of pairCounts) {
      if (count > bestCount || (count === bestCount && best >= 0 && pair < best)) {
        best = pair;
        bestCount = count;
      }
    }
    if (best < 0) break;
    const [left, right] = [Math.floor(best / size), best % size];
    const merged = symbols.length;
    symbols.push(symbols[left]! + symbols[right]!);
    merges.push([symbols[left]!, symbols[right]!]);
    for (const index of wordsWith.get(best)!) {
      const word = words[index]!;
      addPairs(index, -1);
      word.ids = mergePair(word.ids, left, right, merged);
      addPairs(index, 1);
    }
    wordsWith.delete(best);
  }
  return { symbols, merges };
}

/** Every occurrence of (left, right), from the left and without overlap, replaced by `merged`. */
function mergePair(ids: readonly number[], left: number, right: number, merged: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(merged);
      i++;
    } else {
      out.push(ids[i]!);
    }
  }
  return out;
}
