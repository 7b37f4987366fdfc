/** @file LLaMA-Factory's ranking data: alpaca's instructions, and ShareGPT's or OpenAI's messages. */
import { InputError } from "../../errors.ts";
import type { Message } from "../content.ts";
import { isObject } from "../sources/json-text.ts";
import { conversation, TEMPLATE_FIELDS, withSystem } from "./chat.ts";
import { type Fields, has, type Layout, says } from "./layout.ts";
import { isConversation, readMessage, readMessages, reply } from "./messages.ts";
import { describe, textField } from "./values.ts";

/** `{instruction, input?, system?, history?, chosen, rejected}`: the user says the instruction and, below it, the input. */
export const ALPACA: Layout = {
  name: "LLaMA-Factory alpaca ranking",
  fields: ["instruction", "input", "system", "history", "chosen", "rejected", ...TEMPLATE_FIELDS],
  matches: (record) => has(record, "instruction") && has(record, "chosen"),
  read(record, where) {
    const replies = ["chosen", "rejected"].map((side) => [reply(record[side], where, side)]);
    return conversation(record, where, alpacaMessages(record, where), replies);
  },
};

/** `{conversations: [{from, value}], chosen: {from, value}, rejected: {from, value}, system?, tools?}`. */
export const SHAREGPT: Layout = {
  name: "LLaMA-Factory sharegpt ranking",
  fields: ["conversations", "system", "chosen", "rejected", ...TEMPLATE_FIELDS],
  matches: (record) => says(record, "conversations") && has(record, "chosen"),
  read: (record, where) => oneReplyEach(record, where, "conversations"),
};

/** The same under OpenAI's names; also Axolotl's chat_template.default, whose replies may be strings. */
export const MESSAGES_AND_REPLIES: Layout = {
  name: "messages with one reply each (LLaMA-Factory openai, Axolotl chat_template)",
  fields: ["messages", "system", "chosen", "rejected", ...TEMPLATE_FIELDS],
  matches: (record) =>
    says(record, "messages") &&
    !says(record, "prompt") &&
    has(record, "chosen") &&
    !Array.isArray(record.chosen),
  read: (record, where) => oneReplyEach(record, where, "messages"),
};

/** `{prompt: messages, chosen: string or message, rejected: string or message}`. */
export const PROMPT_AND_REPLIES: Layout = {
  name: "a prompt of messages with one reply each",
  fields: ["prompt", "system", "chosen", "rejected", ...TEMPLATE_FIELDS],
  matches: (record) =>
    isConversation(record.prompt) && has(record, "chosen") && !Array.isArray(record.chosen),
  read: (record, where) => oneReplyEach(record, where, "prompt"),
};

function oneReplyEach(record: Fields, where: string, field: string) {
  const prompt = withSystem(record, readMessages(record[field], where, field), where);
  const replies = ["chosen", "rejected"].map((side) => [
    isObject(record[side]) ? readMessage(record[side], where, side) : reply(record[side], where, side),
  ]);
  return conversation(record, where, prompt, replies);
}

/** Alpaca's turns: the system message, the history, then the instruction and, below it, the input. */
export function alpacaMessages(record: Fields, where: string): readonly Message[] {
  const asked = ["instruction", "input"].filter((field) => says(record, field));
  if (asked.length === 0) throw new InputError(`${where}: instruction: empty, and no input`);
  const messages = [
    ...history(record, where),
    { role: "user", content: asked.map((field) => textField(record, field, where)).join("\n") },
  ];
  return withSystem(record, messages, where);
}

/** Earlier turns as pairs of what the user said and what was replied. */
function history(record: Fields, where: string): Message[] {
  if (!says(record, "history")) return [];
  const turns = record.history;
  if (!Array.isArray(turns))
    throw new InputError(`${where}: history: expected a list of [user, assistant], found ${describe(turns)}`);
  return turns.flatMap((turn: unknown, i): Message[] => {
    if (!Array.isArray(turn) || turn.length !== 2)
      throw new InputError(`${where}: history[${i}]: expected [user, assistant], found ${describe(turn)}`);
    return [
      readMessage({ role: "user", content: turn[0] }, where, `history[${i}][0]`),
      readMessage({ role: "assistant", content: turn[1] }, where, `history[${i}][1]`),
    ];
  });
}
