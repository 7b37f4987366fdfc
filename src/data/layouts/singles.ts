/** @file Layouts of what `score` reads: one text or reply, as strings, ids or messages; and every layout of pairs. */
import { z } from "zod";
import { has, type Layout, layoutsOf } from "./layout.ts";
import { PAIRS } from "./pairs.ts";
import { CONVERSATION, CONVERSATION_REPLY, ID_REPLY, REPLY } from "./replies.ts";
import { check, ids, textField } from "./values.ts";

export const TEXT: Layout = {
  name: "texts",
  fields: ["text"],
  matches: (record) => has(record, "text"),
  read: (record, where) => ({ kind: "text", prompt: "", replies: [textField(record, "text", where)] }),
};

export const IDS: Layout = {
  name: "token ids",
  fields: ["input_ids"],
  matches: (record) => has(record, "input_ids"),
  read: (record, where) => ({
    kind: "ids",
    prompt: [],
    replies: [check(z.object({ input_ids: ids }), record, where).input_ids],
  }),
};

export const SCORABLE = layoutsOf(
  [TEXT, CONVERSATION_REPLY, REPLY, IDS, ID_REPLY, CONVERSATION, ...PAIRS.layouts],
  `text, or response, or messages, or input_ids, or response_ids, or ${PAIRS.expected}`,
);

/** What a language model learns from; of pairs it is the preferred reply. */
export const TEXTS = layoutsOf(
  [TEXT, CONVERSATION_REPLY, REPLY, IDS, ID_REPLY, CONVERSATION],
  "text, or completion, or messages, or input_ids, or completion_ids, or chosen and rejected",
);
