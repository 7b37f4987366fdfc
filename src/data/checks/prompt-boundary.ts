/** @file Prompts that merge with a reply into one token at their border (https://github.com/huggingface/trl/issues/2054). */
import { findingOf, plural } from "./finding.ts";
import { examplesIn, inEachSet } from "./input.ts";

/**
 * Both sides share the longest common prefix of their ids. Where a side begins with other ids than the prompt alone
 * has, that prefix cuts into the prompt: fewer tokens are shared, and the last ones read differently on each side.
 */
export const promptBoundary = inEachSet((set) => {
  const merging = examplesIn(set).flatMap(({ record, item: { prompt } }) => {
    const lost = prompt === undefined ? 0 : prompt.length - Math.min(...prompt.kept);
    return lost > 0 ? [{ where: record.where, lost }] : [];
  });
  const tokens = merging.reduce((sum, { lost }) => sum + lost, 0);
  const message = `${plural(merging.length, `${set.name} prompt`)} merging with a reply at the border, so that ${plural(tokens, "token")} less can be shared: end prompts where a word ends (usually without a space), and let the reply begin with the space`;
  return findingOf(
    "prompt-boundary",
    "note",
    merging.map(({ where }) => where),
    message,
    set.name,
  );
});
