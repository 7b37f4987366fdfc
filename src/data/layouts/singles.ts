/** @file Layouts of what `score` reads: one text or reply, as strings, ids or messages; and every layout of pairs and lists. */
import { z } from "zod";
import { has, type Layout, layoutsOf } from "./layout.ts";
import { LISTS, ORDERS } from "./lists.ts";
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

/** What is scored needs no order, and may have one. */
const LISTS_TO_SCORE = LISTS.layouts.map((layout) => ({
  ...layout,
  fields: layout.fields.filter((field) => !ORDERS.includes(field)),
}));

/** Mixtures keep what their pairs were made of: a list of replies beside a pair is left alone, as in training. */
const PAIRS_TO_SCORE = PAIRS.layouts.map((layout) => ({
  ...layout,
  ignores: [
    ...(layout.ignores ?? []),
    "completion",
    "responses",
    "completions",
    "completion_ids",
    "responses_ids",
  ],
}));

export const SCORABLE = layoutsOf(
  [TEXT, CONVERSATION_REPLY, REPLY, IDS, ID_REPLY, CONVERSATION, ...PAIRS_TO_SCORE, ...LISTS_TO_SCORE],
  `text, or response, or messages, or input_ids, or response_ids, or responses, or ${PAIRS.expected}`,
);

/** What a language model learns from; of pairs it is the preferred reply. */
export const TEXTS = layoutsOf(
  [TEXT, CONVERSATION_REPLY, REPLY, IDS, ID_REPLY, CONVERSATION],
  "text, or completion, or messages, or input_ids, or completion_ids, or chosen and rejected",
);
