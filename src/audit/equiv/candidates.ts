/** @file The texts that `rmtrain equiv` compares on: prompts, each with a finite set of candidate replies. */
import { readPreferences } from "../../data/preference.ts";
import { RmtrainError } from "../../errors.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";

/** One reply to one prompt, as the ids that the model reads. */
export interface Candidate {
  readonly ids: Int32Array;
  /** Where the reply begins: π(y|x) is the product over the ids from here on. */
  readonly replyStart: number;
}

/**
 * The first `count` prompts of a file of preferences, each with four candidates: its own two replies, and those to the
 * next prompt. Prompt and reply are tokenised apart, and the reply ends in EOS, so that it is a whole answer.
 * @returns [count][4]
 */
export async function readCandidates(
  file: string,
  tokenizer: Tokenizer,
  count: number,
): Promise<Candidate[][]> {
  const prompts = new Map<string, readonly string[]>();
  for (const { content } of await readPreferences(file)) {
    if (content.kind !== "text" || prompts.size === count) continue;
    if (content.prompt !== "" && !prompts.has(content.prompt)) prompts.set(content.prompt, content.replies);
  }
  if (prompts.size < count) throw new RmtrainError(`${file}: fewer than ${count} prompts of text`);
  const replies = [...prompts.values()];
  const encode = (text: string) => [...tokenizer.encode(text, { addSpecialTokens: false })];
  return [...prompts.keys()].map((prompt, x) => {
    const texts = [...replies[x]!, ...replies[(x + 1) % count]!];
    if (new Set(texts).size !== texts.length)
      throw new RmtrainError(`${file}: the candidates of one prompt must differ`);
    const start = encode(prompt);
    return texts.map((text) => ({
      ids: Int32Array.from([...start, ...encode(text), tokenizer.eosTokenId ?? 0]),
      replyStart: start.length,
    }));
  });
}
