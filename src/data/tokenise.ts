/** @file From content to the token ids that the model reads: joining, end of sequence, truncation, and the counts. */
import { InputError } from "../errors.ts";
import type { Content } from "./content.ts";

/** What is needed of a tokenizer. */
export interface TextEncoder {
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
  encode(text: string, options: { readonly addSpecialTokens: boolean }): Int32Array;
}

/** What is done with a sequence longer than the limit: leave its record out, or cut at the left or right. */
export type Overlong = "drop" | "left" | "right";

export interface TokeniseOptions {
  /** Needed for text only. */
  readonly encoder?: TextEncoder | undefined;
  /** Why there is none, and what to do about it; part of the error for a record of text. */
  readonly missing?: string | undefined;
  /** Whether texts get an EOS unless they end in it, and its id (see model/recipe.ts). */
  readonly recipe: { readonly addEos: boolean; readonly eosTokenId?: number };
  /** The model's: every id must be below. */
  readonly vocabSize: number;
  /** Tokens a sequence may have; without it nothing is dropped or cut. */
  readonly maxLength?: number | undefined;
  /** "drop" where not given. */
  readonly overlong?: Overlong;
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
}

/**
 * The ids of one record. Text: prompt and reply joined with nothing between, encoded as one string with the
 * tokenizer's special tokens, then EOS as the recipe says. Ids: prompt then reply, nothing added.
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
  const sequences =
    overlong === "drop"
      ? whole
      : whole.map((ids) => truncate(ids, maxLength, overlong, eosTokenId, encoder?.bosTokenId));
  return {
    sequences,
    ...(content.prompt.length === 0 ? {} : { group: `${content.kind} ${content.prompt}` }),
    truncated: long.map((isLong) => isLong && !dropped),
    dropped,
    identical: sequences.length > 1 && sequences.every((ids) => equalIds(ids, sequences[0] ?? ids)),
  };
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
  return content.replies.map((reply) => {
    const ids = encoder.encode(content.prompt + reply, { addSpecialTokens: true });
    const { addEos, eosTokenId } = recipe;
    if (!addEos || eosTokenId === undefined || ids.at(-1) === eosTokenId) return ids;
    const closed = new Int32Array(ids.length + 1);
    closed.set(ids);
    closed[ids.length] = eosTokenId;
    return closed;
  });
}

/**
 * At most `maxLength` of the ids. A final EOS stays (the reward is read there), then a leading BOS where the left is
 * cut (the model has never read a text without it), then as many ids as fit.
 */
export function truncate(
  ids: Int32Array,
  maxLength: number,
  side: "left" | "right",
  eosTokenId?: number,
  bosTokenId?: number,
): Int32Array {
  if (ids.length <= maxLength) return ids;
  const tail = ids.at(-1) === eosTokenId ? 1 : 0;
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

function equalIds(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** What became of a set of pairs, for the summary. */
export interface TokeniseCounts {
  readonly records: number;
  /** Records that the limit left out. */
  readonly dropped: number;
  /** Cut sequences of kept records: by reply, [chosen, rejected] for pairs. */
  readonly truncated: readonly number[];
  /** Kept records whose sides are the same ids. */
  readonly identical: number;
  /** Tokens of all kept sequences, a shared prompt counted for each. */
  readonly tokens: number;
}

/**
 * All records: those that stay, with their index among the given ones, and the counts.
 * @throws InputError as `tokenise`, at the first bad record.
 */
export function tokeniseAll(
  records: readonly { readonly where: string; readonly content: Content }[],
  options: TokeniseOptions,
): { kept: { readonly index: number; readonly item: TokenisedContent }[]; counts: TokeniseCounts } {
  const kept: { index: number; item: TokenisedContent }[] = [];
  const truncated: number[] = [];
  let identical = 0;
  let tokens = 0;
  for (const [index, record] of records.entries()) {
    const item = tokenise(record.content, record.where, options);
    if (item.dropped) continue;
    kept.push({ index, item });
    for (const [reply, cut] of item.truncated.entries())
      truncated[reply] = (truncated[reply] ?? 0) + (cut ? 1 : 0);
    if (item.identical) identical += 1;
    for (const ids of item.sequences) tokens += ids.length;
  }
  const counts = {
    records: records.length,
    dropped: records.length - kept.length,
    truncated,
    identical,
    tokens,
  };
  return { kept, counts };
}
