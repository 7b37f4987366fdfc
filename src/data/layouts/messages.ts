/** @file Messages of a conversation, by the names of OpenAI (role, content) or of ShareGPT (from, value). */
import { InputError } from "../../errors.ts";
import type { Message } from "../content.ts";
import { isObject } from "../sources/json-text.ts";
import { describe, expected, hasLoneSurrogate } from "./values.ts";

/** ShareGPT's speakers and the roles that chat templates know. */
const roles: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  system: "system",
  observation: "tool",
  tool: "tool",
};

/** Whether a value is meant as a list of messages: its first item is an object. */
export function isConversation(value: unknown): boolean {
  return Array.isArray(value) && isObject(value[0]);
}

/** @throws InputError "where: field[i].content: reason"; an empty list is one, too */
export function readMessages(value: unknown, where: string, field: string): Message[] {
  if (!Array.isArray(value))
    throw new InputError(`${where}: ${field}: ${expected("a list of messages {role, content}", value)}`);
  if (value.length === 0) throw new InputError(`${where}: ${field}: no message`);
  return value.map((message, i) => readMessage(message, where, `${field}[${i}]`));
}

/**
 * One message. Fields that are null are left out: tables have a column for every field that any message has, and
 * templates ask whether a field is defined.
 */
export function readMessage(value: unknown, where: string, field: string): Message {
  const refuse = (reason: string) => new InputError(`${where}: ${field}${reason}`);
  if (!isObject(value)) throw refuse(`: ${expected("a message {role, content}", value)}`);
  if ("from" in value && !("role" in value)) return shareGptMessage(value, refuse);
  const fields = Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null && v !== undefined));
  const { role, content } = fields;
  if (typeof role !== "string" || role === "") throw refuse(`.role: ${expected("a role", value.role)}`);
  const problem = contentProblem(value.content);
  // A message that only calls tools needs no words.
  if (problem !== undefined && !(content === undefined && "tool_calls" in fields))
    throw refuse(`.content: ${problem}`);
  return { ...fields, role, content: content ?? "" };
}

/** One message of the assistant. */
export function reply(content: unknown, where: string, field: string): Message {
  const problem = contentProblem(content);
  if (problem !== undefined || typeof content !== "string")
    throw new InputError(`${where}: ${field}: ${problem ?? expected("a string", content)}`);
  return { role: "assistant", content };
}

type Refuse = (reason: string) => InputError;

function shareGptMessage(message: Readonly<Record<string, unknown>>, refuse: Refuse): Message {
  const { from, value } = message;
  const problem = typeof value === "string" ? contentProblem(value) : expected("a string", value);
  if (problem !== undefined) throw refuse(`.value: ${problem}`);
  if (from === "function_call")
    return { role: "assistant", content: "", tool_calls: toolCalls(value, refuse) };
  const role = typeof from === "string" && Object.hasOwn(roles, from) ? roles[from] : undefined;
  if (role === undefined)
    throw refuse(
      `.from: expected ${Object.keys(roles).join(", ")} or function_call, found ${describe(from)}`,
    );
  return { role, content: value };
}

/** LLaMA-Factory writes calls as JSON text: {name, arguments}, or a list of them. */
function toolCalls(value: unknown, refuse: Refuse): unknown[] {
  let calls: unknown;
  try {
    calls = JSON.parse(String(value));
  } catch {
    throw refuse(".value: a function_call is JSON {name, arguments}, this is not JSON");
  }
  return [calls].flat().map((call) => {
    if (!isObject(call) || typeof call.name !== "string")
      throw refuse(`.value: a function_call is JSON {name, arguments}, found ${describe(call)}`);
    return { type: "function", function: { name: call.name, arguments: call.arguments ?? {} } };
  });
}

/** Text, or a list of text parts; models that look at images are not among those that this program reads. */
function contentProblem(content: unknown): string | undefined {
  if (typeof content === "string")
    return hasLoneSurrogate(content) ? "holds half of a surrogate pair, which is not text" : undefined;
  if (!Array.isArray(content)) return expected("a string or a list of text parts", content);
  for (const part of content) {
    if (!isObject(part) || part.type !== "text") {
      const what = isObject(part) ? `a part of type ${describe(part.type)}` : describe(part);
      return `expected parts {type: "text", text}, found ${what}`;
    }
    const problem =
      typeof part.text === "string" ? contentProblem(part.text) : expected("a string", part.text);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
