/** @file What the report needs of the held-out pairs and rewards do not change: computed once for all rewrites. */
import { preferredSide } from "../../data/label.ts";
import { type LengthBaselines, lengthBaselines, replyLength } from "../../data/null-baselines.ts";
import type { Pair } from "../dataset.ts";
import { fieldsOf, membersBy } from "../groups.ts";

/** A field of the records whose values are few enough to compare. */
export interface Field {
  readonly name: string;
  /** Indices of the pairs by value. */
  readonly members: ReadonlyMap<string, readonly number[]>;
}

export interface HeldOut {
  readonly pairs: readonly Pair[];
  /** [n] probability that the chosen reply is the better one; 1 where the data say nothing. */
  readonly labels: readonly number[];
  /** [n] 1: the chosen reply is the better one; -1: the label says that the rejected one is; 0: the label is a tie. */
  readonly sides: Int8Array;
  /** Indices of the pairs that have a better reply. */
  readonly decided: Uint32Array;
  /** [n] length of the better less that of the other reply, in `unit`s. */
  readonly lengthDifferences: Float64Array;
  readonly unit: "characters" | "tokens";
  readonly baselines: LengthBaselines;
  readonly fields: readonly Field[];
  /** Fields that nearly every pair has its own value of, or all have the same one: nothing to compare. */
  readonly otherFields: readonly string[];
}

/** Most values that a field may have to be broken down. */
const MOST_VALUES = 24;
/** Most fields that are broken down, in the order in which records bring them; `first` comes before all. */
const MOST_FIELDS = 12;

export function describeHeldOut(pairs: readonly Pair[], first: string): HeldOut {
  const labels = pairs.map((p) => p.label);
  const sides = Int8Array.from(labels, preferredSide);
  const lengthDifferences = Float64Array.from(pairs, ({ record: { content } }, i) => {
    const [chosen = "", rejected = ""] = content.replies;
    return sides[i]! * (replyLength(chosen) - replyLength(rejected));
  });
  const fields: Field[] = [];
  const otherFields: string[] = [];
  const names = fieldsOf(pairs);
  for (const name of names.sort((a, b) => Number(b === first) - Number(a === first))) {
    const members = membersBy(pairs, name, MOST_VALUES);
    const few = members !== undefined && members.size > 1 && members.size <= pairs.length / 2;
    if (few && fields.length < MOST_FIELDS) fields.push({ name, members });
    else otherFields.push(name);
  }
  return {
    pairs,
    labels,
    sides,
    decided: Uint32Array.from(pairs.keys()).filter((i) => sides[i] !== 0),
    lengthDifferences,
    unit: pairs.every((p) => p.record.content.kind === "ids") ? "tokens" : "characters",
    baselines: lengthBaselines(
      pairs.map((p) => p.record.content),
      labels,
    ),
    fields,
    otherFields,
  };
}
