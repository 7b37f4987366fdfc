/** @file Pairs that no step sees: their sides are the same, or one is longer than the limit. */
import type { LeftOut, WhyLeftOut } from "../tokenise-all.ts";
import { findingOf, plural } from "./finding.ts";
import { type CheckedSet, inEachSet } from "./input.ts";
import { lossSeverity } from "./lost.ts";

/** Why equal sides are left out, once for the three ways to be equal. */
const NOTHING = "left out, since a model can't rank equal sides and learns nothing from them";

/** Sides that are the same text (or ids), also where they are longer than the limit. */
export const identicalPairs = inEachSet((set) =>
  equalSides(set, "identical-pairs", "same-text", "with the same text on both sides"),
);

/** Other texts, the same tokens: the tokenizer can't tell them apart. */
export const identicalTokens = inEachSet((set) =>
  equalSides(set, "identical-tokens", "same-tokens", "with sides that differ as text but not as tokens"),
);

/** Sides that differ only in what the limit cuts away (https://github.com/OpenRLHF/OpenRLHF/issues/1311). */
export const identicalAfterTruncation = inEachSet((set, { maxLength }) =>
  equalSides(
    set,
    "identical-after-truncation",
    "same-after-cut",
    `with sides that are the same once cut to --max-length ${maxLength}`,
  ),
);

/** Pairs over the limit, by side, with the tokens that are lost with them. */
export const tooLong = inEachSet((set, { maxLength }) => {
  const out = because(set, "too-long");
  const over = (reply: number) => out.filter(({ lengths }) => (lengths[reply] ?? 0) > maxLength).length;
  const tokens = (reply: number) => out.reduce((sum, { lengths }) => sum + (lengths[reply] ?? 0), 0);
  const message = `${plural(out.length, `${set.name} pair`)} left out: ${over(0)} chosen and ${over(1)} rejected sides are longer than --max-length ${maxLength} (or use --truncate left|right); ${tokens(0)} chosen and ${tokens(1)} rejected tokens are not read`;
  return findingOf(
    "too-long",
    lossSeverity(out.length, set),
    out.map(({ where }) => where),
    message,
    set.name,
  );
});

function because({ leftOut }: CheckedSet, why: WhyLeftOut): LeftOut[] {
  return leftOut.filter((pair) => pair.why === why);
}

function equalSides(set: CheckedSet, check: string, why: WhyLeftOut, what: string) {
  const rows = because(set, why).map(({ where }) => where);
  const message = `${plural(rows.length, `${set.name} pair`)} ${what}: ${NOTHING}`;
  return findingOf(check, "warning", rows, message, set.name);
}
