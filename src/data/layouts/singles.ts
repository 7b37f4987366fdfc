/** @file Layouts of what `score` reads: one text or reply, as strings, ids or messages; and every layout of pairs. */
import { z } from "zod";
import { isObject } from "../sources/json-text.ts";
import { conversation, sharedPrompt, TEMPLATE_FIELDS } from "./chat.ts";
import { has, type Layout, layoutsOf } from "./layout.ts";
import { isConversation, readMessage, readMessages, reply } from "./messages.ts";
import { PAIRS } from "./pairs.ts";
import { check, ids, text, textField } from "./values.ts";

const TEXT: Layout = {
  name: "texts",
  fields: ["text"],
  matches: (record) => has(record, "text"),
  read: (record, where) => ({ kind: "text", prompt: "", replies: [textField(record, "text", where)] }),
};

const REPLY: Layout = {
  name: "prompts and replies",
  fields: ["prompt", "response"],
  matches: (record) => typeof record.response === "string" && !Array.isArray(record.prompt),
  read(record, where) {
    const { prompt, response } = check(stringReply, record, where);
    return { kind: "text", prompt: prompt ?? "", replies: [response] };
  },
};
const stringReply = z.object({ prompt: text.nullish(), response: text });

const IDS: Layout = {
  name: "token ids",
  fields: ["input_ids"],
  matches: (record) => has(record, "input_ids"),
  read: (record, where) => ({
    kind: "ids",
    prompt: [],
    replies: [check(z.object({ input_ids: ids }), record, where).input_ids],
  }),
};

const ID_REPLY: Layout = {
  name: "token ids of prompts and replies",
  fields: ["prompt_ids", "response_ids"],
  matches: (record) => has(record, "response_ids"),
  read(record, where) {
    const { prompt_ids, response_ids } = check(idReply, record, where);
    return { kind: "ids", prompt: prompt_ids ?? [], replies: [response_ids] };
  },
};
const idReply = z.object({ prompt_ids: ids.nullish(), response_ids: ids });

/** `{messages}`: the reply is what follows the last message that is not the assistant's. */
const CONVERSATION: Layout = {
  name: "conversations",
  fields: ["messages", ...TEMPLATE_FIELDS],
  matches: (record) => has(record, "messages") && !has(record, "chosen") && !has(record, "response"),
  read: (record, where) => sharedPrompt(record, where, [readMessages(record.messages, where, "messages")]),
};

/** `{prompt: messages, response: messages, message or string}`, or `{prompt: string, response: messages}`. */
const CONVERSATION_REPLY: Layout = {
  name: "conversations and replies",
  fields: ["prompt", "response", ...TEMPLATE_FIELDS],
  matches: (record) => has(record, "response") && (isConversation(record.prompt) || !isText(record.response)),
  read(record, where) {
    const { response } = record;
    const prompt = isText(record.prompt)
      ? [{ role: "user", content: textField(record, "prompt", where) }]
      : readMessages(record.prompt, where, "prompt");
    if (Array.isArray(response))
      return conversation(record, where, prompt, [readMessages(response, where, "response")]);
    const message = isObject(response)
      ? readMessage(response, where, "response")
      : reply(response, where, "response");
    return conversation(record, where, prompt, [[message]]);
  },
};

const isText = (value: unknown) => typeof value === "string";

export const SCORABLE = layoutsOf(
  [TEXT, CONVERSATION_REPLY, REPLY, IDS, ID_REPLY, CONVERSATION, ...PAIRS.layouts],
  `text, or response, or messages, or input_ids, or response_ids, or ${PAIRS.expected}`,
);
