/** @file From content to the token ids that the model reads: joining, end of sequence, truncation. */
import { InputError } from "../errors.ts";
import { applyBos, type BosRule } from "./bos.ts";
import type { Content, TextContent } from "./content.ts";
import { commonPrefix, measurePrompt, type PromptTokens } from "./prompt-tokens.ts";
import { replyStart } from "./reply-start.ts";

/** What is needed of a tokenizer. */
export interface TextEncoder {
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
  encode(text: string, options: { readonly addSpecialTokens: boolean }): Int32Array;
}

/** What is done with a sequence longer than the limit: leave its record out, or cut at the left or right. */
export const overlongs = ["drop", "left", "right"] as const;
export type Overlong = (typeof overlongs)[number];

/** The part of a checkpoint's recipe that makes ids of a text. */
export interface TextRecipe {
  /** Whether plain texts get an EOS unless they end in it. */
  readonly addEos: boolean;
  readonly eosTokenId?: number;
  /** "auto" where not given. */
  readonly bos?: BosRule;
  readonly chat?: {
    /** Whether rendered conversations get an EOS too. */
    readonly addEos: boolean;
    /** The ids that the template writes after the last reply; a cut at the right leaves them. */
    readonly endOfTurn: readonly number[];
  };
}

export interface TokeniseOptions {
  /** Needed for text only. */
  readonly encoder?: TextEncoder | undefined;
  /** Why there is none, and what to do about it; part of the error for a record of text. */
  readonly missing?: string | undefined;
  /** How texts begin and end (see model/recipe.ts). */
  readonly recipe: TextRecipe;
  /** The model's: every id must be below. */
  readonly vocabSize: number;
  /** Tokens a sequence may have; without it nothing is dropped or cut. */
  readonly maxLength?: number | undefined;
  /** "drop" where not given. */
  readonly overlong?: Overlong;
  /**
   * Also tokenise each prompt alone, to see where its replies begin and whether it merges with them:
   * `TokenisedContent.prompt` and `.replyStarts`.
   */
  readonly measurePrompts?: boolean;
}

/** A record's sequences, one per reply; the pack's item. */
export interface TokenisedContent {
  readonly sequences: readonly Int32Array[];
  /** Equal for records with equal prompts, absent where there is no prompt. */
  readonly group?: string;
  /** Per reply, whether it was cut. */
  readonly truncated: readonly boolean[];
  /** Whether the limit leaves the record out; its sequences are whole then. */
  readonly dropped: boolean;
  /** A pair (or list) whose sequences are all the same: it can teach nothing. */
  readonly identical: boolean;
  /** The sequences before the limit cut them: their lengths in tokens, and whether they were all the same. */
  readonly whole: { readonly lengths: readonly number[]; readonly identical: boolean };
  /** Only where `measurePrompts` asks for it, and there is a prompt. */
  readonly prompt?: PromptTokens;
  /** Only where `measurePrompts` asks for it: per sequence, the index of its reply's first token (see replyStart). */
  readonly replyStarts?: readonly number[];
}

/**
 * The ids of one record. Text: prompt and reply joined with nothing between, encoded as one string with the
 * tokenizer's special tokens, then EOS as the recipe says. A rendered conversation spells its special tokens out:
 * none are added. Ids: prompt then reply, nothing added.
 * @param where "file:line", for errors.
 * @throws InputError on an empty sequence, an id outside the vocabulary, or text without a tokenizer.
 */
export function tokenise(content: Content, where: string, options: TokeniseOptions): TokenisedContent {
  const { maxLength = Number.POSITIVE_INFINITY, overlong = "drop", encoder } = options;
  if (!(maxLength >= 1)) throw new InputError(`--max-length is at least 1, not ${maxLength}`);
  const whole = encodeReplies(content, where, options);
  for (const ids of whole) checkIds(ids, where, options.vocabSize);
  const long = whole.map((ids) => ids.length > maxLength);
  const dropped = overlong === "drop" && long.includes(true);
  const eosTokenId = options.recipe.eosTokenId ?? encoder?.eosTokenId;
  const endings = whole.map((ids) => endingLength(ids, eosTokenId, options.recipe.chat?.endOfTurn));
  const sequences =
    overlong === "drop"
      ? whole
      : whole.map((ids, i) => truncate(ids, maxLength, overlong, endings[i] ?? 0, encoder?.bosTokenId));
  return {
    sequences,
    ...(content.prompt.length === 0 ? {} : { group: `${content.kind} ${content.prompt}` }),
    truncated: long.map((isLong) => isLong && !dropped),
    dropped,
    identical: allEqual(sequences),
    whole: { lengths: whole.map((ids) => ids.length), identical: allEqual(whole) },
    ...(options.measurePrompts === true ? measured(content, whole, sequences, endings, options) : {}),
  };
}

function measured(
  content: Content,
  whole: readonly Int32Array[],
  sequences: readonly Int32Array[],
  endings: readonly number[],
  options: TokeniseOptions,
): Pick<TokenisedContent, "prompt" | "replyStarts"> {
  const { overlong = "drop", encoder } = options;
  const ends = { bosTokenId: encoder?.bosTokenId, endings };
  const prompt =
    content.prompt.length === 0
      ? undefined
      : measurePrompt(promptIds(content, options), whole, sequences, overlong, ends);
  const replyStarts = sequences.map((cut, i) => {
    const [kept, ending] = [prompt?.kept[i] ?? 0, endings[i] ?? 0];
    return replyStart({ whole: whole[i] ?? cut, cut, kept, ending }, overlong, encoder?.bosTokenId);
  });
  return { replyStarts, ...(prompt === undefined ? {} : { prompt }) };
}

/** The prompt alone, with the special tokens that begin a text. */
function promptIds(content: Content, { encoder, recipe }: TokeniseOptions): Int32Array {
  if (content.kind === "ids" || encoder === undefined)
    return Int32Array.from(content.prompt as readonly number[]);
  const ids = encodeText(content, content.prompt, encoder, recipe);
  // A post-processor may end every text in EOS; that one is not the prompt's.
  const closed = content.chat === undefined && ids.at(-1) === (recipe.eosTokenId ?? encoder.eosTokenId);
  return closed ? ids.subarray(0, -1) : ids;
}

function encodeReplies(
  content: Content,
  where: string,
  { encoder, missing, recipe }: TokeniseOptions,
): Int32Array[] {
  if (content.kind === "ids")
    return content.replies.map((reply) => Int32Array.from([...content.prompt, ...reply]));
  if (encoder === undefined) {
    throw new InputError(
      `${where}: text needs a tokenizer: ${missing ?? "the model has none; give ids instead"}`,
    );
  }
  const addEos = content.chat === undefined ? recipe.addEos : recipe.chat?.addEos === true;
  return content.replies.map((reply) => {
    const ids = encodeText(content, content.prompt + reply, encoder, recipe);
    const { eosTokenId } = recipe;
    if (!addEos || eosTokenId === undefined || ids.at(-1) === eosTokenId) return ids;
    const closed = new Int32Array(ids.length + 1);
    closed.set(ids);
    closed[ids.length] = eosTokenId;
    return closed;
  });
}

function encodeText(
  { chat }: TextContent,
  text: string,
  encoder: TextEncoder,
  { bos = "auto" }: TextRecipe,
): Int32Array {
  const ids = encoder.encode(text, { addSpecialTokens: chat === undefined });
  return applyBos(ids, bos, encoder.bosTokenId);
}

/** How many tokens at the end close the text and are no part of the reply: an end of turn, or an EOS. */
function endingLength(
  ids: Int32Array,
  eosTokenId: number | undefined,
  endOfTurn: readonly number[] = [],
): number {
  const eos = ids.length > 0 && ids.at(-1) === eosTokenId ? 1 : 0;
  return Math.max(eos, endsIn(ids, endOfTurn) ? endOfTurn.length : 0);
}

/** Whether `end` are the last ids of a sequence; an empty end always is. */
export function endsIn(ids: Int32Array, end: readonly number[]): boolean {
  const begin = ids.length - end.length;
  return begin >= 0 && end.every((id, i) => ids[begin + i] === id);
}

/**
 * At most `maxLength` of the ids. What ends the text stays (the reward is read there), then a leading BOS where the
 * left is cut (the model has never read a text without it), then as many ids as fit.
 * @param ending how many ids at the end close the text: an EOS, or an end of turn
 */
export function truncate(
  ids: Int32Array,
  maxLength: number,
  side: "left" | "right",
  ending = 0,
  bosTokenId?: number,
): Int32Array {
  if (ids.length <= maxLength) return ids;
  const tail = Math.min(ending, maxLength);
  const head = side === "right" ? maxLength - tail : ids[0] === bosTokenId && maxLength > tail + 1 ? 1 : 0;
  const cut = new Int32Array(maxLength);
  cut.set(ids.subarray(0, head));
  cut.set(ids.subarray(ids.length - (maxLength - head)), head);
  return cut;
}

function checkIds(ids: Int32Array, where: string, vocabSize: number): void {
  if (ids.length === 0)
    throw new InputError(`${where}: an empty sequence; the model needs at least one token`);
  const outside = ids.find((id) => id < 0 || id >= vocabSize);
  if (outside !== undefined) {
    throw new InputError(
      `${where}: token id ${outside} is outside the model's vocabulary (0 to ${vocabSize - 1})`,
    );
  }
}

function allEqual([first, ...others]: readonly Int32Array[]): boolean {
  if (first === undefined || others.length === 0) return false;
  return others.every((ids) => ids.length === first.length && commonPrefix(ids, first) === first.length);
}
