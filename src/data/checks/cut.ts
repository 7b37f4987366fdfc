/** @file Sides that --truncate cuts: how many, how much, and those of which nothing that matters is left. */
import type { PromptTokens } from "../prompt-tokens.ts";
import { findingOf, plural } from "./finding.ts";
import { bySide, type CheckedSet, counted, examplesIn, inEachSet, sidesWhere } from "./input.ts";
import { lossSeverity } from "./lost.ts";

/** Cut sides of the examples that are used, with the tokens lost. */
export const cutSides = inEachSet((set, { maxLength }) => {
  const cut = sidesWhere(set, ({ example, reply }) => example.item.truncated[reply] === true);
  const lost = [0, 0];
  for (const { example, ids, reply } of cut)
    lost[reply] = (lost[reply] ?? 0) + (example.item.whole.lengths[reply] ?? 0) - ids.length;
  const examples = new Set(cut.map(({ example }) => example)).size;
  const tokens =
    set.kind === "pairs"
      ? `${lost[0]} chosen and ${lost[1]} rejected tokens`
      : plural(
          lost.reduce((sum, n) => sum + n, 0),
          "token",
        );
  const what = set.kind === "pairs" ? `${set.name}: ${bySide(cut)} sides` : counted(set, cut);
  const message = `${what} cut to ${maxLength} tokens; ${tokens} are not read`;
  return findingOf(
    "truncated",
    lossSeverity(examples, set),
    cut.map(({ where }) => where),
    message,
    set.name,
  );
});

/** Nothing but the prompt is left (pairs whose sides are equal then are left out, and count here too). */
export const replyCutAway = inEachSet((set, { maxLength }) => {
  const gone = sidesOf(set, ({ replyGone }) => replyGone);
  const message = `${counted(set, gone)} have no token of the reply left within --max-length ${maxLength}: raise it, or use --truncate left`;
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
  const message = `${counted(set, gone)} have no token of the prompt left within --max-length ${maxLength}: raise it, or use --truncate right`;
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

/** Sides for which `flags` holds, of examples that are used and of those left out. */
function sidesOf(set: CheckedSet, flags: (prompt: PromptTokens) => readonly boolean[]): SideOfAny[] {
  const all = [
    ...set.leftOut.map(({ where, prompt }) => ({ where, prompt })),
    ...examplesIn(set).map(({ record, item }) => ({ where: record.where, prompt: item.prompt })),
  ];
  return all.flatMap(({ where, prompt }) =>
    prompt === undefined
      ? []
      : flags(prompt).flatMap((holds, reply): SideOfAny[] => (holds ? [{ where, reply }] : [])),
  );
}
