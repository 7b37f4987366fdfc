/** @file Examples that no step sees: their sides are the same, one is longer than the limit, or they say nothing. */
import type { LeftOut, WhyLeftOut, WhyNothing } from "../tokenise-all.ts";
import { findingOf, plural } from "./finding.ts";
import { type CheckedSet, examplesOf, inEachSet } from "./input.ts";
import { lossSeverity } from "./lost.ts";

/** Why equal sides are left out, once for the three ways to be equal. */
const NOTHING = "left out, since a model can't rank equal sides and learns nothing from them";

/** Sides that are the same text (or ids), also where they are longer than the limit. */
export const identicalPairs = inEachSet((set) =>
  equalSides(set, "identical-pairs", "same-text", `with the same text ${everywhere(set)}`),
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
  const all = out.reduce((sum, { lengths }) => lengths.reduce((n, length) => n + length, sum), 0);
  const [who, lost] =
    set.kind === "pairs"
      ? [
          `${over(0)} chosen and ${over(1)} rejected sides are`,
          `${tokens(0)} chosen and ${tokens(1)} rejected tokens`,
        ]
      : [set.kind === "lists" ? "a reply of each is" : "they are", plural(all, "token")];
  const message = `${examplesOf(set, out.length)} left out: ${who} longer than --max-length ${maxLength} (or use --truncate left|right); ${lost} are not read`;
  return findingOf(
    "too-long",
    lossSeverity(out.length, set),
    out.map(({ where }) => where),
    message,
    set.name,
  );
});

/** Lists without an order, ties that can't be two rows, replies that are unwanted as texts. */
export const nothingToLearn = inEachSet((set) => {
  const whys: readonly (readonly [WhyNothing, string])[] = [
    ["unranked", "without an order (null, or fewer than two ranks)"],
    ["tied", "in which all replies tie"],
    ["unwanted", "that are labelled as unwanted"],
  ];
  const found = whys.map(([why, what]) => ({ what, rows: because(set, why).map(({ where }) => where) }));
  const told = found.filter(({ rows }) => rows.length > 0).map(({ what, rows }) => `${rows.length} ${what}`);
  const rows = found.flatMap((f) => f.rows);
  const message = `${examplesOf(set, rows.length)} left out, from which there is nothing to learn: ${told.join(", ")}`;
  return findingOf("nothing-to-learn", "note", rows, message, set.name);
});

function because({ leftOut }: CheckedSet, why: WhyLeftOut | WhyNothing): LeftOut[] {
  return leftOut.filter((example) => example.why === why);
}

const everywhere = ({ kind }: CheckedSet) => (kind === "pairs" ? "on both sides" : "in all replies");

function equalSides(set: CheckedSet, check: string, why: WhyLeftOut, what: string) {
  const rows = because(set, why).map(({ where }) => where);
  const message = `${examplesOf(set, rows.length)} ${what}: ${NOTHING}`;
  return findingOf(check, "warning", rows, message, set.name);
}
