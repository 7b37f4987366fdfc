/** @file What `score` and `trace` need of a model, whatever its rewards are made of: a head's, or log-probabilities. */
import type { Content } from "../data/content.ts";
import { type TokenisedContent, type TokeniseOptions, tokenise } from "../data/tokenise.ts";
import { InputError } from "../errors.ts";
import type { Backbone } from "../model/backbone.ts";
import type { ChatReader } from "../model/chat/chat-reader.ts";
import type { ModelConfig } from "../model/config.ts";
import type { InputRecipe } from "../model/recipe.ts";
import type { FoundTokenizer, Tokenizer } from "../model/tokenizer.ts";
import { checkPositions, type RunOptions, type TokenCounts } from "../train/run-batches.ts";
import { decodePrefixes } from "./prefixes.ts";

export interface SequenceReward {
  /** The sequence that was read. */
  readonly ids: Int32Array;
  readonly reward: number;
  /** Reward of every prefix, [tokens]; only where it was asked for. */
  readonly perToken?: Float32Array;
}

export interface ScoreOptions extends Partial<Pick<RunOptions, "batchTokens" | "onProgress">> {
  readonly perToken?: boolean;
}

/** One prefix of a traced text. */
export interface TracePoint {
  readonly tokenId: number;
  /** What the token adds to the text: nothing for BOS, and for a token whose character is not complete yet. */
  readonly token: string;
  /** The text up to and including the token. */
  readonly prefix: string;
  readonly reward: number;
}

export interface Scorer extends Disposable {
  readonly backbone: Backbone;
  readonly config: ModelConfig;
  readonly recipe: InputRecipe;
  /** The tokenizer, or why there is none. */
  readonly found: FoundTokenizer;
  /** Undefined where the folder has none: records must be ids then. */
  readonly tokenizer: Tokenizer | undefined;
  /** Makes texts of conversations. */
  readonly chats: ChatReader;
  /** What is not as in training; empty unless that was to be ignored, or changes no text's ids. */
  readonly mismatches: readonly string[];
  /** Names of the checkpoint's tensors that were not used. */
  readonly unused: readonly string[];
  /** Tokens computed so far, and what padded batches would have computed. */
  readonly counts: TokenCounts;
  /** @throws InputError beginning with `where` */
  tokenise(
    content: Content,
    where: string,
    limit?: Pick<TokeniseOptions, "maxLength" | "overlong">,
  ): TokenisedContent;
  /** `[item][sequence]` */
  scoreItems(items: readonly TokenisedContent[], options?: ScoreOptions): Promise<SequenceReward[][]>;
  /** Whether two rules of where a reward is read would read `ids` at different tokens. */
  differsFromLast(ids: Int32Array): boolean;
}

/**
 * The sequences of one record, by the recipe of the checkpoint.
 * @throws InputError beginning with `where`: an empty sequence, an id outside the vocabulary, text without a tokenizer, or
 * more tokens than learned positions
 */
export function sequencesOf(
  { recipe, found, config, backbone }: Pick<Scorer, "recipe" | "found" | "config" | "backbone">,
  content: Content,
  where: string,
  options: Pick<TokeniseOptions, "maxLength" | "overlong" | "measurePrompts">,
): TokenisedContent {
  const { tokenizer: encoder, missing } = found;
  const tokenised = tokenise(content, where, {
    ...options,
    encoder,
    missing,
    recipe,
    vocabSize: config.vocabSize,
  });
  for (const ids of tokenised.sequences) checkPositions(backbone, ids.length, where);
  return tokenised;
}

/** A text as the scorer's recipe makes ids of it. */
export function textItem(scorer: Scorer, text: string, where = "text"): TokenisedContent {
  return scorer.tokenise({ kind: "text", prompt: "", replies: [text] }, where);
}

/** The reward of every prefix of a text, from one causal pass. */
export async function traceText(scorer: Scorer, text: string): Promise<TracePoint[]> {
  const item = textItem(scorer, text);
  const { tokenizer } = scorer;
  if (tokenizer === undefined)
    throw new InputError("A trace of text needs a tokenizer, and the model has none");
  const [[scored] = []] = await scorer.scoreItems([item], { perToken: true });
  const ids = scored?.ids ?? new Int32Array();
  const prefixes = decodePrefixes(tokenizer, ids);
  return Array.from(ids, (tokenId, p) => {
    const prefix = prefixes[p] ?? "";
    const token = prefix.slice(prefixes[p - 1]?.length ?? 0);
    return { tokenId, token, prefix, reward: scored?.perToken?.[p] ?? Number.NaN };
  });
}
