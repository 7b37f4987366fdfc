/** @file Prompt and replies of a conversation as text: what is shared, what a reply is, what ends it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatContent, Message } from "../../../src/data/content.ts";
import { commonPrefix, renderConversation } from "../../../src/model/chat/conversation.ts";
import { compile } from "../../../src/model/chat/jinja/template.ts";
import { CHATML, FORGETFUL, HEADERS, TOOLS } from "./templates.ts";

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });
const chat = (prompt: Message[], replies: Message[][], rest: Partial<ChatContent> = {}): ChatContent => ({
  kind: "chat",
  prompt,
  replies,
  ...rest,
});
const rendered = (source: string, content: ChatContent) => {
  const { render } = compile(source, { text: 1e6, list: 1e5 });
  return renderConversation(content, (variables) =>
    render({ bos_token: "<s>", ...variables }, "2026-11-24T00:00:00"),
  );
};

test("the prompt ends in the generation prompt; replies keep what the template writes after them", () => {
  const content = chat([user("Hi")], [[assistant("Hello")], [assistant("Go away")]]);
  expect(rendered(CHATML, content)).toEqual({
    prompt: "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    replies: ["Hello<|im_end|>\n", "Go away<|im_end|>\n"],
    promptKind: "generation-prompt",
    ending: "<|im_end|>\n",
  });
});

test("the template's own BOS, the date and trimmed contents", () => {
  const system = { role: "system", content: " Be brief. " };
  const { prompt, replies } = rendered(HEADERS, chat([system, user(" Hi\n")], [[assistant(" Hello ")]]));
  expect(prompt).toBe(
    "<s><|start|>system<|end|>\n\nToday: 24 Nov 2026\nBe brief.<|eot|><|start|>user<|end|>\n\nHi<|eot|><|start|>assistant<|end|>\n\n",
  );
  expect(replies).toEqual(["Hello<|eot|>"]);
});

test("tools, calls and results: a reply may be several messages", () => {
  const call = { type: "function", function: { name: "add", arguments: { a: 1, b: 2 } } };
  const replies: Message[][] = [
    [
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", content: "3" },
      assistant("It is 3."),
    ],
    [assistant("I don't know.")],
  ];
  const content = chat([user("1 + 2?")], replies, { tools: [{ name: "add" }] });
  expect(rendered(TOOLS, content)).toEqual({
    prompt: '[TOOLS][{"name": "add"}][/TOOLS]\n[USER]1 + 2?\n',
    replies: [
      '[CALL]{"name": "add", "arguments": {"a": 1, "b": 2}}\n[RESULT]3\n[ANSWER]It is 3.</s>',
      "[ANSWER]I don't know.</s>",
    ],
    promptKind: "generation-prompt",
    ending: "</s>",
  });
  expect(() => rendered(TOOLS, chat([{ role: "clown", content: "" }], [[assistant("a")]]))).toThrow(
    "the template refuses it: Unknown role clown",
  );
});

test("variables of the record reach the template, which always has tools and documents", () => {
  const source =
    "{{ tools is none }}{{ documents is none }}{{ thinking }}{{ add_generation_prompt }}{{ messages | length }};";
  const content = chat([user("a")], [[assistant("b")]], { templateKwargs: { thinking: "yes" } });
  expect(rendered(source, content).prompt + rendered(source, content).replies[0]).toBe("TrueTrueyesFalse2;");
});

test("after a finished answer there is no generation prompt", () => {
  const content = chat([user("a"), assistant("b")], [[user("c"), assistant("d")]]);
  expect(rendered(CHATML, content)).toMatchObject({
    prompt: "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n",
    replies: ["<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\nd<|im_end|>\n"],
    promptKind: "plain",
  });
});

test("a generation prompt that no answer begins with is left out of the prompt", () => {
  const opens = CHATML.replace("assistant\\n' }}\n{%- endif", "assistant\\n<think>' }}\n{%- endif");
  expect(rendered(opens, chat([user("a")], [[assistant("b")]]))).toMatchObject({
    prompt: "<|im_start|>user\na<|im_end|>\n",
    replies: ["<|im_start|>assistant\nb<|im_end|>\n"],
    promptKind: "plain",
  });
});

test("a template that rewrites earlier turns: the texts are whole, their common beginning is the prompt", () => {
  const prompt = [user("a"), assistant("<think>hm</think>\nb")];
  const content = chat(prompt, [
    [user("c"), assistant("d")],
    [user("c"), assistant("e")],
  ]);
  expect(rendered(FORGETFUL, content)).toEqual({
    prompt: "<user>a<assistant>b<user>c<assistant>",
    replies: ["d", "e"],
    promptKind: "cut",
    ending: "",
  });
});

test("a conversation without a reply, and one without a prompt", () => {
  expect(rendered(CHATML, chat([user("a")], [[]]))).toEqual({
    prompt: "<|im_start|>user\na<|im_end|>\n",
    replies: [""],
    promptKind: "plain",
  });
  expect(rendered(CHATML, chat([], [[user("a")]]))).toMatchObject({
    prompt: "",
    replies: ["<|im_start|>user\na<|im_end|>\n"],
  });
});

test("prompt and reply together are the template's own text, whatever the messages", () => {
  const message = fc.record({ role: fc.constantFrom("user", "assistant", "system"), content: fc.string() });
  const messages = fc.array(message, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      messages,
      fc.array(messages, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(CHATML, HEADERS, FORGETFUL),
      (prompt, replies, source) => {
        const { prompt: shared, replies: texts } = rendered(source, chat(prompt, replies));
        const { render } = compile(source, { text: 1e6, list: 1e5 });
        for (const [i, reply] of replies.entries()) {
          const whole = { bos_token: "<s>", messages: [...prompt, ...reply], add_generation_prompt: false };
          expect(shared + texts[i]).toBe(render(whole, "2026-11-24T00:00:00"));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a common beginning never cuts a character in two", () => {
  expect(commonPrefix(["a\u{1F600}", "a\u{1F601}"])).toBe("a");
  expect(commonPrefix(["ab", "abc", "abd"])).toBe("ab");
  expect(commonPrefix([])).toBe("");
});
