/** @file How sequences end: as the checkpoint was trained to read them, and both sides alike. */
import { endsIn } from "../tokenise.ts";
import { findingOf } from "./finding.ts";
import { examplesOf, inEachSet, inSetsOf, type Side, sideFinding, sidesWhere } from "./input.ts";

/** Sides without the EOS that the checkpoint's own recipe puts at the end (https://github.com/huggingface/trl/pull/5813). */
export const missingEos = inEachSet((set, { trained }) => {
  const eos = trained?.eosTokenId;
  if (eos === undefined) return [];
  const open = sidesWhere(set, ({ ids }) => ids.at(-1) !== eos);
  return sideFinding(
    "missing-eos",
    set,
    open,
    (count) =>
      `${count} do not end in the EOS (id ${eos}) that this checkpoint was trained to read at the end: leave out --no-eos, and end ids in it`,
  );
});

/** Sides without the end of turn of a checkpoint that was trained on conversations. */
export const missingEndOfTurn = inEachSet((set, { trained, recipe }) => {
  const { endOfTurn = [] } = trained ?? {};
  if (endOfTurn.length === 0) return [];
  const open = sidesWhere(
    set,
    ({ ids }) => !endsIn(withoutEos(ids, endOfTurn, recipe.eosTokenId), endOfTurn),
  );
  return sideFinding(
    "missing-end-of-turn",
    set,
    open,
    (count) =>
      `${count} do not end in the end of turn (ids ${endOfTurn.join(" ")}) of the conversations that this checkpoint was trained on: give messages, which its chat template renders, or texts that end so`,
  );
});

/** One side is closed by an EOS or an end of turn and the other is not: the ending alone gives the label away. */
export const unevenEnding = inSetsOf(["pairs", "lists"], (set, { recipe, tokenizer }) => {
  const eos = recipe.eosTokenId ?? tokenizer?.eosTokenId;
  const endings = [eos === undefined ? [] : [eos], recipe.chat?.endOfTurn ?? []];
  const used = endings.filter((ending) => ending.length > 0);
  const uneven = set.examples.filter(({ item: { sequences } }) => {
    const closed = sequences.filter((ids) => used.some((ending) => endsIn(ids, ending))).length;
    return closed > 0 && closed < sequences.length;
  });
  const rows = uneven.map(({ record }) => record.where);
  const message = `${examplesOf(set, rows.length)} with one side that ends in ${used.map((ending) => `id ${ending.join(" ")}`).join(" or ")} and one that doesn't: end both alike, or the ending is what is learnt`;
  return findingOf("uneven-ending", "warning", rows, message, set.name);
});

/** Where an EOS follows the end of turn, it is no part of it. */
function withoutEos(ids: Side["ids"], endOfTurn: readonly number[], eos: number | undefined): Int32Array {
  return ids.at(-1) === eos && endOfTurn.at(-1) !== eos ? ids.subarray(0, -1) : ids;
}
