/** @file Pairs as token ids: which of them a run uses, which it leaves out and why, and the counts. */
import type { Content } from "./content.ts";
import type { PromptTokens } from "./prompt-tokens.ts";
import { orSkipped, type ReadingLog } from "./reading.ts";
import { type TokenisedContent, type TokeniseOptions, tokenise } from "./tokenise.ts";

/**
 * Why a pair is left out. Its sides are the same text (or ids); they are other texts but the same tokens; they are
 * the same after they were cut to the limit; or a side is longer than the limit. Equal sides get equal rewards: the
 * loss stays at ln 2, the gradients of the two cancel, and no model can rank them.
 */
export type WhyLeftOut = "same-text" | "same-tokens" | "same-after-cut" | "too-long";

/**
 * Why a record says nothing that its loss could learn: a list whose order is null (or of fewer than two replies), one
 * whose replies all tie, or a pair that ties and should have been two rows; a reply that is unwanted as a text.
 */
export type WhyNothing = "unranked" | "tied" | "unwanted";

/** An example that no step sees; its ids are not kept. */
export interface LeftOut {
  readonly where: string;
  readonly why: WhyLeftOut | WhyNothing;
  /** Tokens of the whole sides. */
  readonly lengths: readonly number[];
  readonly prompt?: PromptTokens;
}

/** What became of a set of pairs, for the summary. */
export interface TokeniseCounts {
  readonly records: number;
  /** Records that the limit left out. */
  readonly dropped: number;
  /** Records left out because their sides are the same. */
  readonly identical: number;
  /** Cut sequences of kept records: by reply, [chosen, rejected] for pairs. */
  readonly truncated: readonly number[];
  /** Tokens of all kept sequences, a shared prompt counted for each. */
  readonly tokens: number;
  /** Records left out because they say nothing to learn (see WhyNothing); absent for pairs. */
  readonly undecided?: number;
}

export interface TokenisedAll {
  /** Records that stay, with their index among the given ones. */
  readonly kept: readonly { readonly index: number; readonly item: TokenisedContent }[];
  /** The others, in order. */
  readonly leftOut: readonly LeftOut[];
  readonly counts: TokeniseCounts;
}

/**
 * All records as ids.
 * @param log where given, records that can't be made ids of are told to it and not counted
 * @throws InputError as `tokenise`, at the first bad record, where there is no `log`.
 */
export function tokeniseAll(
  records: readonly { readonly where: string; readonly content: Content }[],
  options: TokeniseOptions,
  log?: ReadingLog,
): TokenisedAll {
  const kept: { index: number; item: TokenisedContent }[] = [];
  const leftOut: LeftOut[] = [];
  const truncated: number[] = [];
  let tokens = 0;
  let bad = 0;
  for (const [index, { where, content }] of records.entries()) {
    const item = orSkipped(() => tokenise(content, where, options), where, log);
    if (item === undefined) {
      bad += 1;
      continue;
    }
    const why = whyLeftOut(content, item);
    if (why !== undefined) {
      leftOut.push({
        where,
        why,
        lengths: item.whole.lengths,
        ...(item.prompt === undefined ? {} : { prompt: item.prompt }),
      });
      continue;
    }
    kept.push({ index, item });
    for (const [reply, cut] of item.truncated.entries())
      truncated[reply] = (truncated[reply] ?? 0) + (cut ? 1 : 0);
    for (const ids of item.sequences) tokens += ids.length;
  }
  const dropped = leftOut.filter(({ why }) => why === "too-long").length;
  const identical = leftOut.length - dropped;
  return { kept, leftOut, counts: { records: records.length - bad, dropped, identical, truncated, tokens } };
}

function whyLeftOut({ replies }: Content, item: TokenisedContent): WhyLeftOut | undefined {
  if (item.whole.identical) {
    const [first, ...others] = replies.map(String);
    return others.every((reply) => reply === first) ? "same-text" : "same-tokens";
  }
  if (item.dropped) return "too-long";
  return item.identical ? "same-after-cut" : undefined;
}
