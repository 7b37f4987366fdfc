/**
 * @file The head as a policy. r_θ(x, y) = w . h tilts a reference: π_θ(y|x) = π_ref(y|x) exp(r_θ(x, y)/β) / Z(x), with
 * Z(x) = Σ_y π_ref(y|x) exp(r_θ(x, y)/β). Its implicit reward (Rafailov et al. 2023, arXiv 2305.18290, eq. 5) is
 *
 *     β log(π_θ(y|x)/π_ref(y|x)) = r_θ(x, y) - β log Z(x),
 *
 * and of two replies to the same x the difference is that of r_θ alone, for any reference and any β > 0. So pairs need
 * neither π_ref nor Z, the sums that a step makes are the scalar reward's own, and the checkpoint is an ordinary one.
 */
import type { Content } from "../../data/content.ts";
import type { HeadReward } from "./reward.ts";
import { scalar } from "./scalar.ts";

export const tilted: HeadReward = {
  ...scalar,
  name: "tilted",
  relative: "the implicit reward r - β log Z(x) is known only up to a constant for each prompt",
  notes: ({ pairs }) => promptNotes(pairs.map((pair) => pair.record.content)),
};

/** Both replies of a record have one prompt: the record's own or, where it gives none, what its sides begin with alike. */
function promptNotes(contents: readonly Content[]): string[] {
  const without = contents.filter(({ prompt }) => prompt.length === 0);
  if (without.length === 0) return [];
  const unrelated = without.filter(({ replies }) => replies[0]?.[0] !== replies[1]?.[0]).length;
  const nothing = unrelated === 0 ? "" : `; ${unrelated} of them begin differently, their prompt is empty`;
  return [
    `reward tilted: ${without.length} of ${contents.length} pairs give no prompt: it is the longest common prefix of their sides${nothing}`,
  ];
}
