/** @file The recipe that a run trains by: from its options, the tokenizer and what the data turned out to hold. */
import { commonPrefix } from "../data/prompt-tokens.ts";
import { InputError } from "../errors.ts";
import type { ChatReader, Ending } from "../model/chat/chat-reader.ts";
import type { ModelFolder } from "../model/model-folder.ts";
import type { ChatRecipe, InputRecipe } from "../model/recipe.ts";
import { tokenizerRecipe } from "../model/recipe-check.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { TrainOptions } from "./options.ts";

type Options = Pick<TrainOptions, "eos" | "bos" | "eosAfterChat" | "overlong" | "precision"> & {
  readonly maxLength: number;
};

/**
 * Plain texts end in the tokenizer's EOS unless --no-eos, rendered conversations as their template ends them unless
 * --eos-after-chat; the reward is read at the last token.
 * @param chats after all records were read
 * @throws InputError naming the option that doesn't go with the model
 */
export function trainingRecipe(
  { config, dir }: ModelFolder,
  tokenizer: Tokenizer | undefined,
  chats: ChatReader,
  options: Options,
): InputRecipe {
  const eosTokenId = tokenizer?.eosTokenId ?? config.eosTokenId?.[0];
  const onlyChats = chats.seen.conversations > 0 && chats.seen.texts === 0;
  const addEos = options.eos && tokenizer !== undefined && !onlyChats;
  const chat = chatRecipe(chats, tokenizer, options);
  if ((addEos || chat?.addEos) && (eosTokenId === undefined || eosTokenId >= config.vocabSize)) {
    const advice = addEos ? "train with --no-eos" : "train without --eos-after-chat";
    throw new InputError(
      `${dir}: the tokenizer names no end-of-sequence token that the model knows; ${advice}`,
    );
  }
  if (options.bos === "always" && tokenizer !== undefined && tokenizer.bosTokenId === undefined)
    throw new InputError(`${dir}: the tokenizer names no BOS; --bos always can't be followed`);
  return {
    addEos,
    ...(eosTokenId === undefined ? {} : { eosTokenId }),
    readPosition: "last",
    bos: options.bos,
    ...(chat && { chat }),
    ...(tokenizer && { tokenizer: tokenizerRecipe(tokenizer) }),
    truncation: { side: options.overlong, maxLength: options.maxLength },
    ...(options.precision === "f32" ? {} : { precision: options.precision }),
  };
}

function chatRecipe(
  { template, clock, ending }: ChatReader,
  tokenizer: Tokenizer | undefined,
  { eosAfterChat }: Options,
): ChatRecipe | undefined {
  if (template === undefined) return undefined;
  return {
    templateSha256: template.sha256,
    ...(clock === undefined ? {} : { clock }),
    endOfTurn: tokenizer === undefined || ending === undefined ? [] : endOfTurn(ending, tokenizer),
    addEos: eosAfterChat,
  };
}

/** The ids that all texts with this ending end in, as far as they lie behind the reply. */
export function endOfTurn({ text, samples }: Ending, tokenizer: Tokenizer): number[] {
  const encode = (sample: string) => tokenizer.encode(sample, { addSpecialTokens: false });
  const endings = samples.map((sample) => {
    const ids = encode(sample);
    const open = encode(sample.slice(0, sample.length - text.length));
    return ids.subarray(commonPrefix(ids, open)).reverse();
  });
  const [first = new Int32Array()] = endings;
  const length = Math.min(...endings.map((ending) => commonPrefix(ending, first)));
  return [...first.subarray(0, length)].reverse();
}
