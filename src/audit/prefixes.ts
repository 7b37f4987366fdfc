/** @file The text of every prefix of a sequence of ids, as a trace shows it. */
import type { Tokenizer } from "../model/tokenizer.ts";

/**
 * The text up to and including each token, [ids]. A BOS at the beginning and an EOS at the end add nothing, nor does a
 * token that ends inside a character: its bytes show once the character is complete.
 */
export function decodePrefixes(tokenizer: Tokenizer, ids: Int32Array): string[] {
  const begin = ids[0] === tokenizer.bosTokenId ? 1 : 0;
  const end = ids.length - (ids.length > begin && ids.at(-1) === tokenizer.eosTokenId ? 1 : 0);
  const decode = (to: number) => tokenizer.decode(ids.subarray(begin, Math.min(to, end)));
  const whole = decode(end);
  let shown = "";
  return Array.from(ids, (_, p) => {
    const prefix = decode(p + 1);
    // A decoder may trim or tidy what is not final yet; only what the whole text begins with is shown.
    if (prefix.length > shown.length && whole.startsWith(prefix)) shown = prefix;
    return shown;
  });
}
