/** @file Which messages of a pair are its prompt, and which conversations are refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatContent, Message } from "../../../src/data/content.ts";
import { parsePreference } from "../../../src/data/preference.ts";

const WHERE = "p.jsonl:1";
const parse = (row: Record<string, unknown>) => parsePreference(row, WHERE).content as ChatContent;
const user = (content: string): Message => ({ role: "user", content });
const said = (content: string): Message => ({ role: "assistant", content });
const roles = (messages: readonly Message[]) => messages.map((m) => `${m.role[0]}${m.content}`).join(" ");

describe("the shared prompt", () => {
  test.each<[string, Message[], Message[], string, string[]]>([
    ["ends before the replies", [user("1"), said("2")], [user("1"), said("3")], "u1", ["a2", "a3"]],
    ["leaves equal sides a reply", [user("1"), said("2")], [user("1"), said("2")], "u1", ["a2", "a2"]],
    [
      "leaves the shorter side a reply",
      [user("1"), said("2")],
      [user("1"), said("2"), user("3"), said("4")],
      "u1",
      ["a2", "a2 u3 a4"],
    ],
    [
      "ends before an assistant's message where the users go on differently",
      [user("1"), said("2"), user("3"), said("4")],
      [user("1"), said("2"), user("5"), said("6")],
      "u1",
      ["a2 u3 a4", "a2 u5 a6"],
    ],
    [
      "may begin with the assistant",
      [said("0"), user("1"), said("2")],
      [said("0"), user("1"), said("3")],
      "a0 u1",
      ["a2", "a3"],
    ],
  ])("%s", (_, chosen, rejected, prompt, replies) => {
    const content = parse({ chosen, rejected });
    expect(roles(content.prompt)).toBe(prompt);
    expect(content.replies.map(roles)).toEqual(replies);
  });

  test("prompt and replies together are what was given, whatever was given", () => {
    const message = fc.record({
      role: fc.constantFrom("user", "assistant", "tool"),
      content: fc.constantFrom("x", "y"),
    });
    const tail = fc.tuple(fc.array(message, { maxLength: 3 }), fc.constant(said("end")));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), tail, tail, (shared, [a, endA], [b, endB]) => {
        const [chosen, rejected] = [a, b].map((rest, i) => [
          user("q"),
          ...shared,
          ...rest,
          i === 0 ? endA : endB,
        ]);
        const { prompt, replies } = parse({ chosen, rejected });
        expect(replies.map((messages) => [...prompt, ...messages])).toEqual([chosen, rejected]);
        expect(replies.every((messages) => messages.length > 0)).toBe(true);
        expect(prompt[0]).toEqual(user("q"));
        expect(prompt.at(-1)?.role).not.toBe("assistant");
      }),
    );
  });
});

test.each<[string, Record<string, unknown>, string]>([
  [
    "nothing shared",
    { chosen: [user("1"), said("2")], rejected: [user("3"), said("4")] },
    "chosen and rejected begin with different messages",
  ],
  [
    "only the assistant shared",
    { chosen: [said("0"), said("1")], rejected: [said("0"), said("2")] },
    "chosen and rejected begin with different",
  ],
  [
    "replies alone",
    { chosen: [said("1")], rejected: [said("2")] },
    "chosen and rejected are the replies alone; put what they reply to into prompt",
  ],
  ["an empty side", { chosen: [], rejected: [said("2")] }, "chosen: no message"],
  [
    "a side without a list",
    { chosen: [user("1"), said("2")], rejected: "2" },
    'rejected: expected a list of messages {role, content}, found the string "2"',
  ],
  [
    "a question at the end",
    { chosen: [user("1"), said("2"), user("3")], rejected: [user("1"), said("2")] },
    "chosen ends in a message of role user",
  ],
  [
    "a prompt that ends in a reply",
    { prompt: [user("1"), said("2")], chosen: [said("3")], rejected: [said("4")] },
    "the prompt ends in an assistant's message",
  ],
  [
    "another prompt",
    { prompt: "5", chosen: [user("1"), said("2")], rejected: [user("1"), said("3")] },
    "prompt is a string that none of the messages before the replies repeats",
  ],
  ["a role that is missing", { chosen: [{ content: "1" }], rejected: [] }, "chosen[0].role: missing"],
  [
    "no content",
    { chosen: [user("1"), { role: "assistant", content: null }], rejected: [] },
    "chosen[1].content: expected a string or a list of text parts, found null",
  ],
  [
    "half a surrogate pair",
    { chosen: [user("\ud800")], rejected: [] },
    "chosen[0].content: holds half of a surrogate pair",
  ],
  [
    "an image",
    { chosen: [{ role: "user", content: [{ type: "image" }] }], rejected: [] },
    'chosen[0].content: expected parts {type: "text", text}, found a part of type the string "image"',
  ],
  [
    "an unknown speaker",
    { chosen: [{ from: "bing", value: "1" }], rejected: [] },
    "chosen[0].from: expected human",
  ],
  [
    "a call that is no JSON",
    { chosen: [{ from: "function_call", value: "f()" }], rejected: [] },
    "chosen[0].value: a function_call is JSON",
  ],
  [
    "tools that are no list",
    { prompt: [user("1")], chosen: [said("2")], rejected: [said("3")], tools: "{}" },
    "tools: expected a list, found an object",
  ],
  [
    "tools that are no JSON",
    { prompt: [user("1")], chosen: [said("2")], rejected: [said("3")], tools: "f" },
    "tools: not valid JSON",
  ],
  [
    "variables that are no object",
    { prompt: [user("1")], chosen: [said("2")], rejected: [said("3")], chat_template_kwargs: [1] },
    "chat_template_kwargs: expected an object",
  ],
])("%s is refused", (_, row, message) => {
  expect(() => parsePreference(row, WHERE)).toThrow(`${WHERE}: ${message}`);
});

test("tools and variables of the template are handed on, as they are or from JSON text", () => {
  const row = { prompt: [user("1")], chosen: [said("2")], rejected: [said("3")] };
  const tools = [{ type: "function", function: { name: "f" } }];
  const kwargs = { enable_thinking: false };
  const expected = { tools, templateKwargs: kwargs };
  expect(parse({ ...row, tools, chat_template_kwargs: kwargs })).toMatchObject(expected);
  expect(
    parse({ ...row, tools: JSON.stringify(tools), chat_template_kwargs: JSON.stringify(kwargs) }),
  ).toMatchObject(expected);
  const none = parse({ ...row, tools: [], chat_template_kwargs: null });
  expect(none).not.toHaveProperty("tools");
  expect(none).not.toHaveProperty("templateKwargs");
});

test("a message keeps its other fields, except those that a table filled with null", () => {
  const call = { role: "assistant", content: null, tool_calls: [{ function: { name: "f" } }], name: null };
  const content = parse({ prompt: [user("1")], chosen: [call, said("2")], rejected: [said("3")] });
  expect(content.replies[0]?.[0]).toEqual({ role: "assistant", content: "", tool_calls: call.tool_calls });
  const parts = { role: "user", content: [{ type: "text", text: "1" }], name: "n" };
  expect(parse({ prompt: [parts], chosen: [said("2")], rejected: [said("3")] }).prompt).toEqual([parts]);
});

test("ShareGPT's speakers become roles, calls become tool_calls", () => {
  const conversations = [
    { from: "system", value: "s" },
    { from: "human", value: "1" },
    { from: "function_call", value: '{"name": "f", "arguments": {"x": 1}}' },
    { from: "observation", value: "2" },
  ];
  const content = parse({
    conversations,
    chosen: { from: "gpt", value: "3" },
    rejected: { from: "gpt", value: "4" },
  });
  expect(content.prompt).toEqual([
    { role: "system", content: "s" },
    user("1"),
    {
      role: "assistant",
      content: "",
      tool_calls: [{ type: "function", function: { name: "f", arguments: { x: 1 } } }],
    },
    { role: "tool", content: "2" },
  ]);
});
