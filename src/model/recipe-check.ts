/** @file What a tokenizer does with plain texts, and what differs between a recipe and the files that it stands beside. */
import type { ChatTemplate } from "./chat/template.ts";
import type { InputRecipe, TokenizerRecipe } from "./recipe.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The special ids of a tokenizer, and those that it puts around every text. */
export function tokenizerRecipe(tokenizer: Tokenizer): TokenizerRecipe {
  const bare = tokenizer.encode("a", { addSpecialTokens: false });
  const whole = tokenizer.encode("a", { addSpecialTokens: true });
  const begin = Math.max(0, indexOf(whole, bare));
  const { bosTokenId, eosTokenId } = tokenizer;
  return {
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    ...(eosTokenId === undefined ? {} : { eosTokenId }),
    before: [...whole.subarray(0, begin)],
    after: [...whole.subarray(begin + bare.length)],
  };
}

function indexOf(ids: Int32Array, part: Int32Array): number {
  for (let at = 0; at + part.length <= ids.length; at++)
    if (part.every((id, i) => ids[at + i] === id)) return at;
  return -1;
}

/**
 * One line for each thing that is not as the model was trained to read it.
 * @param template that conversations would be rendered by
 */
export function recipeDifferences(
  recipe: InputRecipe,
  tokenizer: Tokenizer | undefined,
  template: ChatTemplate | undefined,
): string[] {
  const { chat } = recipe;
  const differences: string[] = [];
  if (recipe.tokenizer !== undefined && tokenizer !== undefined)
    differences.push(...tokenizerDifferences(recipe.tokenizer, tokenizerRecipe(tokenizer)));
  if (chat !== undefined && template === undefined) {
    differences.push(`the chat template (SHA-256 ${short(chat.templateSha256)}) is missing`);
  } else if (chat !== undefined && template !== undefined && template.sha256 !== chat.templateSha256) {
    differences.push(
      `the chat template ${template.origin} (SHA-256 ${short(template.sha256)}) is not the one it was trained with (${short(chat.templateSha256)})`,
    );
  }
  return differences;
}

function tokenizerDifferences(trained: TokenizerRecipe, now: TokenizerRecipe): string[] {
  const say = (value: number | readonly number[] | undefined) =>
    value === undefined ? "none" : `${JSON.stringify(value)}`;
  const parts = [
    ["the tokenizer's BOS", trained.bosTokenId, now.bosTokenId],
    ["the tokenizer's EOS", trained.eosTokenId, now.eosTokenId],
    ["what the tokenizer puts before a text", trained.before, now.before],
    ["what the tokenizer puts after a text", trained.after, now.after],
  ] as const;
  return parts
    .filter(([, was, is]) => say(was) !== say(is))
    .map(([name, was, is]) => `${name} is ${say(is)}, it was ${say(was)}`);
}

const short = (sha256: string) => `${sha256.slice(0, 12)}...`;
