/** @file What the checks look at: the pairs as they were read and as the model would read them, and how it would. */
import type { InputRecipe } from "../../model/recipe.ts";
import type { PreferenceRecord } from "../preference.ts";
import type { Overlong, TokenisedContent } from "../tokenise.ts";
import type { LeftOut } from "../tokenise-all.ts";
import { type Finding, findingOf, type SetName } from "./finding.ts";

/** A pair that the run would use; `item` has its two sequences, chosen first. */
export interface CheckedPair {
  readonly record: PreferenceRecord;
  readonly item: TokenisedContent;
}

export interface CheckedSet {
  readonly name: SetName;
  readonly pairs: readonly CheckedPair[];
  readonly leftOut: readonly LeftOut[];
}

export interface CheckInput {
  /** Training pairs, then the held-out ones where there are any. */
  readonly sets: readonly CheckedSet[];
  /** How this run makes ids of a text. */
  readonly recipe: InputRecipe;
  /** How sequences ended that the checkpoint was trained on, as far as it says. */
  readonly trained?: TrainedEnding | undefined;
  readonly tokenizer?: SpecialTokens | undefined;
  /** config.json's. */
  readonly padTokenId?: number | undefined;
  /** Positions that the model was trained for. */
  readonly maxPositions: number;
  /** Tokens that a sequence may have, and what happens to a longer one. */
  readonly maxLength: number;
  readonly overlong: Overlong;
}

export interface TrainedEnding {
  /** The EOS, where every sequence ended in it. */
  readonly eosTokenId?: number;
  /** What a chat template writes after a reply, as ids; an EOS may follow. */
  readonly endOfTurn?: readonly number[];
}

/** A tokenizer's ids of special tokens. */
export interface SpecialTokens {
  readonly bosTokenId?: number | undefined;
  readonly eosTokenId?: number | undefined;
  readonly unkTokenId?: number | undefined;
}

/** Looks for one thing (or a family) in the whole input. */
export type Check = (input: CheckInput) => readonly Finding[];

/** A check of each set on its own. */
export function inEachSet(check: (set: CheckedSet, input: CheckInput) => readonly Finding[]): Check {
  return (input) => input.sets.flatMap((set) => check(set, input));
}

/** A side of a pair: 0 the chosen, 1 the rejected reply. */
export interface Side {
  readonly where: string;
  readonly ids: Int32Array;
  readonly reply: number;
  readonly pair: CheckedPair;
}

/** All sides that `holds`, in order. */
export function sidesWhere({ pairs }: CheckedSet, holds: (side: Side) => boolean): Side[] {
  return pairs.flatMap((pair) =>
    pair.item.sequences
      .map((ids, reply): Side => ({ where: pair.record.where, ids, reply, pair }))
      .filter(holds),
  );
}

/** "3 chosen and 1 rejected". */
export function bySide(sides: readonly { readonly reply: number }[]): string {
  const chosen = sides.filter(({ reply }) => reply === 0).length;
  return `${chosen} chosen and ${sides.length - chosen} rejected`;
}

/** A finding of sides: counted by side, its rows named once. */
export function sideFinding(
  check: string,
  set: CheckedSet,
  sides: readonly Side[],
  message: (count: string) => string,
): Finding[] {
  return findingOf(
    check,
    "warning",
    sides.map(({ where }) => where),
    message(`${bySide(sides)} ${set.name} sides`),
    set.name,
  );
}
