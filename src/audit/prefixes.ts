/** @file The text of every prefix of a sequence of ids, as a trace shows it. */
import type { Tokenizer } from "../model/tokenizer.ts";

/**
 * The text up to and including each token, [ids]. A BOS at the beginning adds nothing, nor does a token that ends inside
 * a character: its bytes show once the character is complete. An EOS shows as the tokenizer spells it, since the reward
 * of a text with its end is another one than without.
 */
export function decodePrefixes(tokenizer: Tokenizer, ids: Int32Array): string[] {
  const begin = ids[0] === tokenizer.bosTokenId ? 1 : 0;
  const decode = (to: number) => tokenizer.decode(ids.subarray(begin, to));
  const whole = decode(ids.length);
  let shown = "";
  return Array.from(ids, (_, p) => {
    const prefix = decode(p + 1);
    // A decoder may trim or tidy what is not final yet; only what the whole text begins with is shown.
    if (prefix.length > shown.length && whole.startsWith(prefix)) shown = prefix;
    return shown;
  });
}
