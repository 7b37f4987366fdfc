/** @file What rules of thumb are measured on: pairs with a right answer; and how far from chance is far. */
import type { Content } from "../content.ts";
import { preferredSide } from "../label.ts";
import type { RankedList } from "../ranked-list.ts";
import type { CheckedSetOf } from "./input.ts";

export interface Preference {
  readonly where: string;
  readonly content: Content;
  /** The label as it turns the pair around: below 0.5 the second reply is preferred. Never 0.5. */
  readonly label: number;
  /** Indices of the preferred reply and of the other one. */
  readonly better: number;
  readonly worse: number;
}

/**
 * Pairs with a right answer: a label below 0.5 prefers the rejected reply, at 0.5 there is none. Of a list every two
 * replies that don't tie.
 */
export function preferences(set: CheckedSetOf<"pairs"> | CheckedSetOf<"lists">): Preference[] {
  if (set.kind === "lists") return set.examples.flatMap(({ record }) => ofList(record));
  return set.examples.flatMap(({ record: { where, content, label = 1 } }): Preference[] => {
    const side = preferredSide(label);
    if (side === 0) return [];
    return [{ where, content, label, ...(side > 0 ? { better: 0, worse: 1 } : { better: 1, worse: 0 }) }];
  });
}

function ofList({ where, content, ranks = [] }: RankedList): Preference[] {
  return ranks.flatMap((rank, better) =>
    ranks.flatMap((other, worse): Preference[] =>
      rank === null || other === null || rank >= other ? [] : [{ where, content, label: 1, better, worse }],
    ),
  );
}

/** The two replies of a preference as a pair, the preferred one first. */
export function asPair({ content, better, worse }: Preference): Content {
  const pick = <T>(replies: readonly T[]) => [better, worse].flatMap((i) => replies.slice(i, i + 1));
  return content.kind === "ids"
    ? { ...content, replies: pick(content.replies) }
    : { kind: "text", prompt: content.prompt, replies: pick(content.replies) };
}

/** "training pairs", or of lists "pairs of replies in training lists". */
export function rankedPairs({
  kind,
  name,
}: {
  readonly kind: "pairs" | "lists";
  readonly name: string;
}): string {
  return kind === "pairs" ? `${name} pairs` : `pairs of replies in ${name} lists`;
}

/** Whether a rule that is right on `share` of `n` pairs is more than three standard errors (of a fair coin) from 0.5. */
export function beyondChance(share: number, n: number): boolean {
  return Math.abs(share - 0.5) > (3 * 0.5) / Math.sqrt(n);
}
