/**
 * @file How a reward model wants its input: how texts begin and end, which chat template made them, how long they may
 * be, at which token the reward is read. Training stores it in config.json under `rmtrain`, and scoring follows it,
 * so that both read the same thing.
 */
import type { BosRule } from "../data/bos.ts";
import type { Overlong, TextRecipe } from "../data/tokenise.ts";
import type { Precision } from "../gpu/precision.ts";

/**
 * Which hidden state gives the reward. "last": the last token. "rightmost-non-pad": the rightmost token whose id is
 * not the config's pad_token_id, as Hugging Face's *ForSequenceClassification does.
 */
export type ReadPosition = "last" | "rightmost-non-pad";

export interface InputRecipe extends TextRecipe {
  /** Whether a plain text (never a record of ids) gets an EOS unless it already ends in one. */
  readonly addEos: boolean;
  /** The EOS that ends a sequence; present whenever one is added. */
  readonly eosTokenId?: number;
  readonly readPosition: ReadPosition;
  /** "auto" where not given. */
  readonly bos?: BosRule;
  /** Where the model was trained on conversations. */
  readonly chat?: ChatRecipe;
  /** The tokenizer that the model was trained with; not known of a recipe of version 1. */
  readonly tokenizer?: TokenizerRecipe;
  /** The class of linear products that the model was trained with, where that was not f32. */
  readonly precision?: Exclude<Precision, "f32">;
  /** What training did with longer sequences. Scoring cuts only what it is told to cut. */
  readonly truncation?: { readonly side: Overlong; readonly maxLength: number };
}

export interface ChatRecipe {
  /** Of the Jinja source, hexadecimal. */
  readonly templateSha256: string;
  /** What strftime_now read, "YYYY-MM-DDTHH:MM:SS", where the template asked for it. */
  readonly clock?: string;
  /** What the template writes after the last reply, as ids; empty where that is nothing, or not one thing. */
  readonly endOfTurn: readonly number[];
  /** Whether rendered texts get an EOS too. */
  readonly addEos: boolean;
}

export interface TokenizerRecipe {
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
  /** What the post-processor puts before and after every plain text. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** What a checkpoint without a recipe means: Hugging Face's own behaviour. */
export const HUGGING_FACE_RECIPE: InputRecipe = { addEos: false, readPosition: "rightmost-non-pad" };

/**
 * The index of the token whose hidden state gives the reward of `ids`.
 * @param padTokenId the config's pad_token_id; without one, Hugging Face's rule is the last token too.
 */
export function readIndex(
  ids: ArrayLike<number>,
  recipe: Pick<InputRecipe, "readPosition">,
  padTokenId?: number | null,
): number {
  if (ids.length === 0) throw new RangeError("an empty sequence has no reward");
  if (recipe.readPosition === "last" || padTokenId === undefined || padTokenId === null)
    return ids.length - 1;
  let index = ids.length - 1;
  while (index > 0 && ids[index] === padTokenId) index -= 1;
  return index;
}
