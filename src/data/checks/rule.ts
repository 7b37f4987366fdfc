/** @file What rules of thumb are measured on: pairs with a right answer; and how far from chance is far. */
import type { Content } from "../content.ts";
import { preferredSide } from "../label.ts";
import type { CheckedSet } from "./input.ts";

export interface Preference {
  readonly where: string;
  readonly content: Content;
  /** The label as it turns the pair around: below 0.5 the second reply is preferred. Never 0.5. */
  readonly label: number;
  /** Indices of the preferred reply and of the other one. */
  readonly better: 0 | 1;
  readonly worse: 0 | 1;
}

/** A label below 0.5 prefers the rejected reply; at 0.5 there is no right answer. */
export function preferences({ pairs }: CheckedSet): Preference[] {
  return pairs.flatMap(({ record: { where, content, label = 1 } }): Preference[] => {
    const side = preferredSide(label);
    if (side === 0) return [];
    return [{ where, content, label, ...(side > 0 ? { better: 0, worse: 1 } : { better: 1, worse: 0 }) }];
  });
}

/** Whether a rule that is right on `share` of `n` pairs is more than three standard errors (of a fair coin) from 0.5. */
export function beyondChance(share: number, n: number): boolean {
  return Math.abs(share - 0.5) > (3 * 0.5) / Math.sqrt(n);
}
