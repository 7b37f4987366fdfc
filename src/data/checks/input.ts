/** @file What the checks look at: the examples as they were read and as the model would read them, and how it would. */
import type { InputRecipe } from "../../model/recipe.ts";
import { type ExampleKind, nouns, type RecordOf } from "../example-kind.ts";
import type { Overlong, TokenisedContent } from "../tokenise.ts";
import type { LeftOut } from "../tokenise-all.ts";
import { type Finding, findingOf, plural, type SetName } from "./finding.ts";

/** An example that the run would use; `item` has its sequences, of a pair the chosen one first. */
export interface Checked<K extends ExampleKind> {
  readonly record: RecordOf[K];
  readonly item: TokenisedContent;
}

export interface CheckedSetOf<K extends ExampleKind> {
  readonly name: SetName;
  readonly kind: K;
  readonly examples: readonly Checked<K>[];
  readonly leftOut: readonly LeftOut[];
}
export type CheckedSet = { readonly [K in ExampleKind]: CheckedSetOf<K> }[ExampleKind];
export type AnyChecked = Checked<ExampleKind>;

export interface CheckInput {
  /** What is trained on, then what is held out where there is any; of one kind. */
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

/** A check of each set of these kinds; the others have nothing that it could look at. */
export function inSetsOf<K extends ExampleKind>(
  kinds: readonly K[],
  check: (set: Extract<CheckedSet, { readonly kind: K }>, input: CheckInput) => readonly Finding[],
): Check {
  const isOf = (set: CheckedSet): set is Extract<CheckedSet, { readonly kind: K }> =>
    kinds.some((kind) => kind === set.kind);
  return (input) => input.sets.filter(isOf).flatMap((set) => check(set, input));
}

/** One sequence: of a pair 0 the chosen, 1 the rejected reply. */
export interface Side {
  readonly where: string;
  readonly ids: Int32Array;
  readonly reply: number;
  readonly example: AnyChecked;
}

/** Its examples, whatever their kind. */
export function examplesIn({ examples }: CheckedSet): readonly AnyChecked[] {
  return examples;
}

/** All sides that `holds`, in order. */
export function sidesWhere(set: CheckedSet, holds: (side: Side) => boolean): Side[] {
  return examplesIn(set).flatMap((example) =>
    example.item.sequences
      .map((ids, reply): Side => ({ where: example.record.where, ids, reply, example }))
      .filter(holds),
  );
}

/** "3 chosen and 1 rejected". */
export function bySide(sides: readonly { readonly reply: number }[]): string {
  const chosen = sides.filter(({ reply }) => reply === 0).length;
  return `${chosen} chosen and ${sides.length - chosen} rejected`;
}

/** "3 chosen and 1 rejected training sides", "4 training rows", "4 replies of training lists". */
export function counted(
  { kind, name }: Pick<CheckedSet, "kind" | "name">,
  sides: readonly { readonly reply: number }[],
): string {
  if (kind === "pairs") return `${bySide(sides)} ${name} sides`;
  if (kind === "lists")
    return `${sides.length === 1 ? "1 reply" : `${sides.length} replies`} of ${name} lists`;
  return plural(sides.length, `${name} ${nouns[kind]}`);
}

/** "2 training pairs". */
export function examplesOf({ kind, name }: Pick<CheckedSet, "kind" | "name">, count: number): string {
  return plural(count, `${name} ${nouns[kind]}`);
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
    message(counted(set, sides)),
    set.name,
  );
}
