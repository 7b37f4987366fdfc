/** @file Layouts of single replies that are wanted or unwanted, as TRL and LLaMA-Factory write them for KTO. */
import { InputError } from "../../errors.ts";
import { conversation, sharedPrompt, TEMPLATE_FIELDS, withSystem } from "./chat.ts";
import { type Fields, has, type Layout, layoutsOf, says } from "./layout.ts";
import { alpacaMessages } from "./llama-factory.ts";
import { readMessages, reply } from "./messages.ts";
import { CONVERSATION, CONVERSATION_REPLY, ID_REPLY, oneOf, REPLY } from "./replies.ts";
import { describe } from "./values.ts";

const LABELS = ["label", "kto_tag"];

/** The same layout with a label beside it. */
const labelled = (layout: Layout): Layout => ({
  ...layout,
  name: `labelled ${layout.name}`,
  fields: [...layout.fields, ...LABELS],
});

/** `{instruction, input?, system?, history?, output, kto_tag}`. */
const ALPACA_KTO: Layout = {
  name: "LLaMA-Factory alpaca KTO",
  fields: ["instruction", "input", "system", "history", "output", ...LABELS, ...TEMPLATE_FIELDS],
  matches: (record) => has(record, "instruction") && has(record, "output"),
  read: (record, where) =>
    conversation(record, where, alpacaMessages(record, where), [[reply(record.output, where, "output")]]),
};

/** `{conversations: [{from, value}], kto_tag, system?, tools?}`, the last one the reply. */
const SHAREGPT_KTO: Layout = {
  name: "LLaMA-Factory sharegpt KTO",
  fields: ["conversations", "system", ...LABELS, ...TEMPLATE_FIELDS],
  matches: (record) => says(record, "conversations") && !has(record, "chosen"),
  read: (record, where) =>
    sharedPrompt(record, where, [
      withSystem(record, readMessages(record.conversations, where, "conversations"), where),
    ]),
};

export const LABELLED = layoutsOf(
  [...[CONVERSATION_REPLY, REPLY, ID_REPLY, CONVERSATION].map(labelled), ALPACA_KTO, SHAREGPT_KTO],
  "prompt, completion and label (true or false), or messages and label, or completion_ids and label",
);

/**
 * Whether the reply is wanted: true and false, or 1 and 0.
 * @throws InputError where there is no label, or one that is neither
 */
export function readWanted(record: Fields, where: string): boolean {
  const name = oneOf(record, LABELS, where, "the label");
  const value = record[name];
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  const found = has(record, name) ? `found ${describe(value)}` : "missing";
  throw new InputError(`${where}: ${name}: expected true (wanted) or false (unwanted), ${found}`);
}
