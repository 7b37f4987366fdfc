/** @file Layouts of one reply to a prompt, as strings, ids or messages; TRL says completion, others say response. */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import { isObject } from "../sources/json-text.ts";
import { conversation, sharedPrompt, TEMPLATE_FIELDS } from "./chat.ts";
import { type Fields, has, type Layout } from "./layout.ts";
import { isConversation, readMessage, readMessages, reply } from "./messages.ts";
import { check, ids, text, textField } from "./values.ts";

const NAMES = ["completion", "response"];
const ID_NAMES = ["completion_ids", "response_ids"];

/** The one of several names that the record has. @throws InputError where it has more than one */
export function oneOf(record: Fields, names: readonly string[], where: string, what: string): string {
  const [name = names[0] ?? "", other] = names.filter((field) => has(record, field));
  if (other === undefined) return name;
  throw new InputError(
    `${where}: ${name} and ${other}: which one is ${what}? Leave the other out with --columns ${other}=`,
  );
}

const someOf = (record: Fields, names: readonly string[]) => names.some((field) => has(record, field));
const replyOf = (record: Fields) => record.completion ?? record.response;
const isText = (value: unknown) => typeof value === "string";

export const REPLY: Layout = {
  name: "prompts and replies",
  fields: ["prompt", ...NAMES],
  matches: (record) => isText(replyOf(record)) && !Array.isArray(record.prompt),
  read(record, where) {
    const name = oneOf(record, NAMES, where, "the reply");
    const { prompt } = check(z.object({ prompt: text.nullish() }), record, where);
    return { kind: "text", prompt: prompt ?? "", replies: [textField(record, name, where)] };
  },
};

export const ID_REPLY: Layout = {
  name: "token ids of prompts and replies",
  fields: ["prompt_ids", ...ID_NAMES],
  matches: (record) => someOf(record, ID_NAMES),
  read(record, where) {
    const name = oneOf(record, ID_NAMES, where, "the reply");
    const { prompt_ids } = check(z.object({ prompt_ids: ids.nullish() }), record, where);
    const found = check(z.object({ [name]: ids }), record, where);
    return { kind: "ids", prompt: prompt_ids ?? [], replies: [found[name] ?? []] };
  },
};

/** `{messages}`: the reply is what follows the last message that is not the assistant's. */
export const CONVERSATION: Layout = {
  name: "conversations",
  fields: ["messages", ...TEMPLATE_FIELDS],
  matches: (record) => has(record, "messages") && !has(record, "chosen") && !someOf(record, NAMES),
  read: (record, where) => sharedPrompt(record, where, [readMessages(record.messages, where, "messages")]),
};

/** `{prompt: messages, completion: messages, message or string}`, or `{prompt: string, completion: messages}`. */
export const CONVERSATION_REPLY: Layout = {
  name: "conversations and replies",
  fields: ["prompt", ...NAMES, ...TEMPLATE_FIELDS],
  matches: (record) => someOf(record, NAMES) && (isConversation(record.prompt) || !isText(replyOf(record))),
  read(record, where) {
    const name = oneOf(record, NAMES, where, "the reply");
    const prompt = isText(record.prompt)
      ? [{ role: "user", content: textField(record, "prompt", where) }]
      : readMessages(record.prompt, where, "prompt");
    return conversation(record, where, prompt, [replyMessages(record[name], where, name)]);
  },
};

/** A reply as messages: a list of them, one of them, or what the assistant says. */
export function replyMessages(value: unknown, where: string, field: string) {
  if (Array.isArray(value)) return readMessages(value, where, field);
  return [isObject(value) ? readMessage(value, where, field) : reply(value, where, field)];
}
