/** @file Our own layouts without messages, which are also TRL's and OpenRLHF's: strings and token ids. */
import { z } from "zod";
import { has, type Layout } from "./layout.ts";
import { check, ids, text } from "./values.ts";

/** `{prompt?, chosen, rejected}`: TRL, OpenRLHF; without a prompt whole texts, as in hh-rlhf. */
export const STRING_PAIR: Layout = {
  name: "pairs of strings",
  fields: ["prompt", "chosen", "rejected"],
  matches: (record) => has(record, "chosen") || has(record, "rejected"),
  read(record, where) {
    const { prompt, chosen, rejected } = check(stringPair, record, where);
    return { kind: "text", prompt: prompt ?? "", replies: [chosen, rejected] };
  },
};
const stringPair = z.object({ prompt: text.nullish(), chosen: text, rejected: text });

export const ID_PAIR: Layout = {
  name: "pairs of token ids",
  fields: ["prompt_ids", "chosen_ids", "rejected_ids"],
  matches: (record) => has(record, "chosen_ids") || has(record, "rejected_ids"),
  read(record, where) {
    const { prompt_ids, chosen_ids, rejected_ids } = check(idPair, record, where);
    return { kind: "ids", prompt: prompt_ids ?? [], replies: [chosen_ids, rejected_ids] };
  },
};
const idPair = z.object({ prompt_ids: ids.nullish(), chosen_ids: ids, rejected_ids: ids });

/** The names that TRL's RewardTrainer had for them until 2025; whole sequences. */
export const OLD_TRL_ID_PAIR: Layout = {
  name: "TRL's pairs of token ids (chosen_input_ids)",
  fields: ["chosen_input_ids", "rejected_input_ids"],
  matches: (record) => has(record, "chosen_input_ids") || has(record, "rejected_input_ids"),
  read(record, where) {
    const { chosen_input_ids, rejected_input_ids } = check(oldIdPair, record, where);
    return { kind: "ids", prompt: [], replies: [chosen_input_ids, rejected_input_ids] };
  },
};
const oldIdPair = z.object({ chosen_input_ids: ids, rejected_input_ids: ids });
