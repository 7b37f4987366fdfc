/** @file Pairs of conversations as TRL, OpenRLHF and UltraFeedback write them: chosen and rejected are lists of messages. */
import { InputError } from "../../errors.ts";
import type { Message } from "../content.ts";
import { conversation, sharedPrompt, TEMPLATE_FIELDS, withSystem } from "./chat.ts";
import { type Fields, type Layout, says } from "./layout.ts";
import { isConversation, readMessages } from "./messages.ts";
import { textField } from "./values.ts";

const fields = ["prompt", "chosen", "rejected", "system", ...TEMPLATE_FIELDS];
// Conversations say all that was said: UltraFeedback's `messages` repeats the chosen one, mixtures bring their sources' prompts.
const ignores = ["messages", "question", "instruction", "input"];

const hasLists = (record: Fields) => Array.isArray(record.chosen) && !isIds(record.chosen);
const isIds = (value: readonly unknown[]) => typeof value[0] === "number";
const sides = (record: Fields, where: string) =>
  ["chosen", "rejected"].map((side) => readMessages(record[side], where, side));

/** `{prompt: messages, chosen: messages, rejected: messages}`; the sides may repeat the prompt. */
export const PROMPTED_CONVERSATIONS: Layout = {
  name: "conversations with a prompt",
  fields,
  ignores,
  matches: (record) => hasLists(record) && isConversation(record.prompt),
  read(record, where) {
    const prompt = readMessages(record.prompt, where, "prompt");
    const replies = sides(record, where);
    const whole = replies.every((messages) => beginsWith(messages, prompt));
    const rest = whole ? replies.map((messages) => messages.slice(prompt.length)) : replies;
    return conversation(record, where, withSystem(record, prompt, where), rest);
  },
};

/** `{chosen: messages, rejected: messages}`, whole conversations that begin with the same messages. */
export const WHOLE_CONVERSATIONS: Layout = {
  name: "whole conversations, the prompt is what both share",
  fields,
  ignores,
  matches: (record) => hasLists(record) && !says(record, "prompt"),
  read: (record, where) =>
    sharedPrompt(
      record,
      where,
      sides(record, where).map((messages) => withSystem(record, messages, where)),
    ),
};

/** The same with a `prompt` that is a string: one of the shared messages again, or the user's message before replies. */
export const ULTRAFEEDBACK: Layout = {
  name: "UltraFeedback's conversations (prompt is a string)",
  fields,
  ignores,
  matches: (record) => hasLists(record) && typeof record.prompt === "string",
  read(record, where) {
    const text = textField(record, "prompt", where);
    const replies = sides(record, where);
    if (replies.every(([first]) => first?.role === "assistant")) {
      const prompt = withSystem(record, [{ role: "user", content: text }], where);
      return conversation(record, where, prompt, replies);
    }
    const content = sharedPrompt(
      record,
      where,
      replies.map((messages) => withSystem(record, messages, where)),
    );
    const repeats = content.prompt.some(
      (m) => typeof m.content === "string" && m.content.trim() === text.trim(),
    );
    if (repeats) return content;
    throw new InputError(
      `${where}: prompt is a string that none of the messages before the replies repeats; leave it out with --columns prompt=, or give the prompt as a list of messages`,
    );
  },
};

function beginsWith(messages: readonly Message[], prompt: readonly Message[]): boolean {
  const begins = prompt.every((m, i) => m.role === messages[i]?.role && m.content === messages[i]?.content);
  return begins && messages.length > prompt.length;
}
