/** @file Axolotl's single-turn pairs: what the user said under one of several names, a system message, two replies. */
import { InputError } from "../../errors.ts";
import { conversation, withSystem } from "./chat.ts";
import { type Fields, has, type Layout, says } from "./layout.ts";
import { reply } from "./messages.ts";
import { textField } from "./values.ts";

/** `{system?, [asked], chosen, rejected}`. */
function singleTurn(name: string, asked: string, matches: (record: Fields) => boolean): Layout {
  return {
    name,
    fields: ["system", asked, "chosen", "rejected"],
    matches: (record) => typeof (record.chosen ?? record.rejected) === "string" && matches(record),
    read: (record, where) => pair(record, where, asked, ["chosen", "rejected"]),
  };
}

export const BRADLEY_TERRY = singleTurn("Axolotl bradley_terry.chat_template", "input", (record) =>
  says(record, "input"),
);

/** Intel's orca_dpo_pairs. */
export const QUESTION = singleTurn("Axolotl chatml.intel", "question", (record) => says(record, "question"));

/** Without a system message these are pairs of strings. */
export const PROMPT_PAIRS = singleTurn(
  "Axolotl chatml.prompt_pairs",
  "prompt",
  (record) => says(record, "system") && says(record, "prompt"),
);

/** `{system?, instruction, chosen_response, rejected_response}`, the first of several names for what was asked. */
export const ARGILLA: Layout = {
  name: "Axolotl chatml.argilla",
  fields: ["system", "prompt", "input", "question", "instruction", "chosen_response", "rejected_response"],
  matches: (record) => has(record, "chosen_response") || has(record, "rejected_response"),
  read(record, where) {
    const names = ["prompt", "input", "question", "instruction"].filter((field) => says(record, field));
    const [asked = "instruction", other] = names;
    if (other !== undefined) {
      throw new InputError(
        `${where}: ${asked} and ${other}: which one is the prompt? Leave the other out with --columns ${other}=`,
      );
    }
    return pair(record, where, asked, ["chosen_response", "rejected_response"]);
  },
};

function pair(record: Fields, where: string, asked: string, sides: readonly string[]) {
  const content = textField(record, asked, where);
  const replies = sides.map((side) => [reply(record[side], where, side)]);
  return conversation(record, where, withSystem(record, [{ role: "user", content }], where), replies);
}
