/** @file Layouts of ranked lists: several replies to one prompt, as strings, ids or messages, and their order. */
import { z } from "zod";
import { InputError } from "../../errors.ts";
import { conversation, TEMPLATE_FIELDS } from "./chat.ts";
import { type Fields, has, type Layout, layoutsOf } from "./layout.ts";
import { isConversation, readMessages } from "./messages.ts";
import { oneOf, replyMessages } from "./replies.ts";
import { check, describe, expected, ids, text, textField } from "./values.ts";

const NAMES = ["responses", "completions"];
export const ORDERS = ["ranks", "rank", "scores"];

const repliesOf = (record: Fields) => record.responses ?? record.completions;
const hasReplies = (record: Fields) => NAMES.some((field) => has(record, field));

/** @throws InputError where the replies are no list of at least two */
function listOf(record: Fields, name: string, where: string): unknown[] {
  const value = record[name];
  if (!Array.isArray(value))
    throw new InputError(`${where}: ${name}: ${expected("a list of replies", value)}`);
  if (value.length >= 2) return value;
  throw new InputError(
    `${where}: ${name}: expected at least two replies, found ${describe(value)}; single replies are data for the loss kto`,
  );
}

/** `{prompt: messages, responses: [messages, message or string, ...], ranks}`. */
const RANKED_CONVERSATIONS: Layout = {
  name: "ranked conversations",
  fields: ["prompt", ...NAMES, ...ORDERS, ...TEMPLATE_FIELDS],
  matches(record) {
    const replies = repliesOf(record);
    const strings = Array.isArray(replies) && replies.every((reply) => typeof reply === "string");
    return hasReplies(record) && (isConversation(record.prompt) || !strings);
  },
  read(record, where) {
    const name = oneOf(record, NAMES, where, "the list of replies");
    const replies = listOf(record, name, where);
    const prompt =
      typeof record.prompt === "string"
        ? [{ role: "user", content: textField(record, "prompt", where) }]
        : readMessages(record.prompt, where, "prompt");
    const read = replies.map((reply, i) => replyMessages(reply, where, `${name}[${i}]`));
    const names = replies.map((_, i) => `${name}[${i}]`);
    return conversation(record, where, prompt, read, names);
  },
};

/** `{prompt?, responses: [string, ...], ranks}`. */
const RANKED_REPLIES: Layout = {
  name: "ranked replies",
  fields: ["prompt", ...NAMES, ...ORDERS],
  matches: hasReplies,
  read(record, where) {
    const name = oneOf(record, NAMES, where, "the list of replies");
    listOf(record, name, where);
    const { prompt } = check(z.object({ prompt: text.nullish() }), record, where);
    const replies = check(z.object({ [name]: z.array(text) }), record, where)[name] ?? [];
    return { kind: "text", prompt: prompt ?? "", replies };
  },
};

/** `{prompt_ids?, responses_ids: [ids, ...], ranks}`. */
const RANKED_IDS: Layout = {
  name: "ranked token ids",
  fields: ["prompt_ids", "responses_ids", ...ORDERS],
  matches: (record) => has(record, "responses_ids"),
  read(record, where) {
    listOf(record, "responses_ids", where);
    const schema = z.object({ prompt_ids: ids.nullish(), responses_ids: z.array(ids) });
    const { prompt_ids, responses_ids } = check(schema, record, where);
    return { kind: "ids", prompt: prompt_ids ?? [], replies: responses_ids };
  },
};

export const LISTS = layoutsOf(
  [RANKED_CONVERSATIONS, RANKED_REPLIES, RANKED_IDS],
  "prompt, responses and ranks (or scores), or responses_ids and ranks",
);

/** The order of a list's replies; null for one that has no place in it. */
export interface ReadOrder {
  /** 0 is best, equal replies share a number. */
  readonly ranks: readonly (number | null)[];
  /** As they were given, where scores were. */
  readonly scores?: readonly (number | null)[];
}

const numbers = z.array(
  z.number({ error: (issue) => expected("a finite number or null", issue.input) }).nullable(),
  { error: (issue) => expected("a list of numbers", issue.input) },
);

/**
 * The order that the record gives its `count` replies; undefined where it says null.
 * @throws InputError where there is none, or one of another length
 */
export function readOrder(record: Fields, count: number, where: string): ReadOrder | undefined {
  const name = oneOf(record, ORDERS, where, "the order");
  if (!has(record, name)) {
    if (ORDERS.some((field) => record[field] === null)) return undefined;
    throw new InputError(`${where}: no order: expected ranks (0 is best) or scores (the largest is best)`);
  }
  const values = check(z.object({ [name]: numbers }), record, where)[name] ?? [];
  if (values.length !== count)
    throw new InputError(`${where}: ${name}: ${values.length} numbers for ${count} replies`);
  if (name !== "scores") return { ranks: values };
  const better = [...new Set(values.filter((value) => value !== null))].sort((a, b) => b - a);
  return { ranks: values.map((value) => (value === null ? null : better.indexOf(value))), scores: values };
}
