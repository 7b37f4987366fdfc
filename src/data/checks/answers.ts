/** @file What a label, a margin or a rule as simple as length says of the answers. */
import { findingOf, plural } from "./finding.ts";
import { inSetsOf } from "./input.ts";

/** Margins below 0 ask that the chosen reply be the worse one. */
export const negativeMargins = inSetsOf(["pairs"], (set) => {
  const rows = set.examples
    .filter(({ record }) => (record.margin ?? 0) < 0)
    .map(({ record }) => record.where);
  const message = `${plural(rows.length, `${set.name} pair`)} with a margin below 0, which asks that the chosen reply be the worse one: swap the sides, or take the margin out`;
  return findingOf("negative-margin", "warning", rows, message, set.name);
});

/** Every pair is a tie: the rewards are only pulled together. */
export const noPreference = inSetsOf(["pairs"], (set) => {
  if (set.examples.some(({ record }) => record.label !== 0.5)) return [];
  const rows = set.examples.map(({ record }) => record.where);
  const message = `all ${plural(rows.length, `${set.name} pair`)} are ties (label 0.5): no side is ever preferred`;
  return findingOf("no-preference", "error", rows, message, set.name);
});
