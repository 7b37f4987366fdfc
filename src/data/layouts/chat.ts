/** @file From messages to a conversation and the ways it goes on: which of them are the prompt. */
import { isDeepStrictEqual } from "node:util";
import { InputError } from "../../errors.ts";
import type { ChatContent, Message } from "../content.ts";
import { isObject } from "../sources/json-text.ts";
import { type Fields, says } from "./layout.ts";
import { describe, textField } from "./values.ts";

/** Variables of the template that a record brings; every conversational layout may have them. */
export const TEMPLATE_FIELDS = ["tools", "chat_template_kwargs"];

/**
 * A prompt of its own, and what follows it.
 * @param names what the replies are called in messages
 * @throws InputError where they don't follow each other
 */
export function conversation(
  record: Fields,
  where: string,
  prompt: readonly Message[],
  replies: readonly (readonly Message[])[],
  names: readonly string[] = replies.length === 2 ? ["chosen", "rejected"] : ["the reply"],
): ChatContent {
  for (const [i, messages] of replies.entries()) {
    const last = messages.at(-1)?.role;
    if (last === "user" || last === "system")
      throw new InputError(`${where}: ${names[i]} ends in a message of role ${last}; expected a reply to it`);
  }
  if (prompt.at(-1)?.role === "assistant") {
    throw new InputError(
      `${where}: the prompt ends in an assistant's message, which a reply can't go on from; it belongs into ${names.length > 2 ? "each reply" : names.join(" and ")}`,
    );
  }
  return { kind: "chat", prompt, replies, ...templateFields(record, where) };
}

/**
 * Whole conversations: the prompt is the longest list of messages that all begin with, so that each keeps at least
 * one message, and so that it doesn't end in an assistant's message.
 * @throws InputError where they have no first message in common
 */
export function sharedPrompt(
  record: Fields,
  where: string,
  conversations: readonly (readonly Message[])[],
): ChatContent {
  const [first = [], ...others] = conversations;
  const limit = Math.min(...conversations.map((messages) => messages.length - 1));
  let shared = 0;
  while (shared < limit && others.every((other) => isDeepStrictEqual(other[shared], first[shared])))
    shared += 1;
  while (first[shared - 1]?.role === "assistant") shared -= 1;
  if (shared < 1) throw new InputError(`${where}: ${nothingShared(conversations)}`);
  return conversation(
    record,
    where,
    first.slice(0, shared),
    conversations.map((messages) => messages.slice(shared)),
  );
}

/** A message of role system before the others, unless they begin with one. */
export function withSystem(record: Fields, messages: readonly Message[], where: string): readonly Message[] {
  if (!says(record, "system") || messages[0]?.role === "system") return messages;
  return [{ role: "system", content: textField(record, "system", where) }, ...messages];
}

function nothingShared(conversations: readonly (readonly Message[])[]): string {
  if (conversations.length === 1)
    return "messages: no message before the reply; expected a prompt and a reply";
  if (conversations.some((messages) => messages.length === 1))
    return "chosen and rejected are the replies alone; put what they reply to into prompt, a list of messages";
  return "chosen and rejected begin with different messages: a pair has one prompt and two replies";
}

function templateFields(record: Fields, where: string): Pick<ChatContent, "tools" | "templateKwargs"> {
  const tools = parsed(record, "tools", where);
  if (tools !== undefined && !Array.isArray(tools))
    throw new InputError(`${where}: tools: expected a list, found ${describe(tools)}`);
  const kwargs = parsed(record, "chat_template_kwargs", where);
  if (kwargs !== undefined && !isObject(kwargs))
    throw new InputError(`${where}: chat_template_kwargs: expected an object, found ${describe(kwargs)}`);
  return {
    ...(tools === undefined || tools.length === 0 ? {} : { tools }),
    ...(kwargs === undefined ? {} : { templateKwargs: kwargs }),
  };
}

/** Both may be given as they are or, since columns of tables have one type, as JSON text. */
function parsed(record: Fields, field: string, where: string): unknown {
  if (!says(record, field)) return undefined;
  const value = record[field];
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new InputError(`${where}: ${field}: not valid JSON: ${describe(value)}`);
  }
}
