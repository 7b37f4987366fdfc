/** @file Sides that --truncate cuts: how many, how much, and those of which nothing that matters is left. */
import type { PromptTokens } from "../prompt-tokens.ts";
import { findingOf } from "./finding.ts";
import { bySide, type CheckedSet, inEachSet, sidesWhere } from "./input.ts";
import { lossSeverity } from "./lost.ts";

/** Cut sides of the pairs that are used, with the tokens lost. */
export const cutSides = inEachSet((set, { maxLength }) => {
  const cut = sidesWhere(set, ({ pair, reply }) => pair.item.truncated[reply] === true);
  const lost = [0, 0];
  for (const { pair, ids, reply } of cut)
    lost[reply] = (lost[reply] ?? 0) + (pair.item.whole.lengths[reply] ?? 0) - ids.length;
  const pairs = new Set(cut.map(({ pair }) => pair)).size;
  const message = `${set.name}: ${bySide(cut)} sides cut to ${maxLength} tokens; ${lost[0]} chosen and ${lost[1]} rejected tokens are not read`;
  return findingOf(
    "truncated",
    lossSeverity(pairs, set),
    cut.map(({ where }) => where),
    message,
    set.name,
  );
});

/** Nothing but the prompt is left (pairs whose sides are equal then are left out, and count here too). */
export const replyCutAway = inEachSet((set, { maxLength }) => {
  const gone = sidesOf(set, ({ replyGone }) => replyGone);
  const message = `${bySide(gone)} ${set.name} sides have no token of the reply left within --max-length ${maxLength}: raise it, or use --truncate left`;
  return findingOf(
    "reply-cut-away",
    "warning",
    gone.map(({ where }) => where),
    message,
    set.name,
  );
});

/** The reply stands without the prompt that it answers. */
export const promptCutAway = inEachSet((set, { maxLength }) => {
  const gone = sidesOf(set, ({ promptGone }) => promptGone);
  const message = `${bySide(gone)} ${set.name} sides have no token of the prompt left within --max-length ${maxLength}: raise it, or use --truncate right`;
  return findingOf(
    "prompt-cut-away",
    "warning",
    gone.map(({ where }) => where),
    message,
    set.name,
  );
});

interface SideOfAny {
  readonly where: string;
  readonly reply: number;
}

/** Sides for which `flags` holds, of pairs that are used and of those left out. */
function sidesOf(set: CheckedSet, flags: (prompt: PromptTokens) => readonly boolean[]): SideOfAny[] {
  const all = [
    ...set.leftOut.map(({ where, prompt }) => ({ where, prompt })),
    ...set.pairs.map(({ record, item }) => ({ where: record.where, prompt: item.prompt })),
  ];
  return all.flatMap(({ where, prompt }) =>
    prompt === undefined
      ? []
      : flags(prompt).flatMap((holds, reply): SideOfAny[] => (holds ? [{ where, reply }] : [])),
  );
}
