/** @file Pairs in the layouts of other systems become the same conversations. */
import { expect, test } from "vitest";
import type { ChatContent } from "../../../src/data/content.ts";
import { asFields, readContent } from "../../../src/data/layouts/layout.ts";
import { PAIRS } from "../../../src/data/layouts/pairs.ts";
import { parsePreference } from "../../../src/data/preference.ts";

const WHERE = "p.jsonl:1";
const system = { role: "system", content: "s" };
const user = { role: "user", content: "q" };
const good = { role: "assistant", content: "a" };
const bad = { role: "assistant", content: "b" };
const turn = [
  { role: "user", content: "q0" },
  { role: "assistant", content: "a0" },
];

const chat = (prompt: ChatContent["prompt"], more: Partial<ChatContent> = {}): ChatContent => ({
  kind: "chat",
  prompt,
  replies: [[good], [bad]],
  ...more,
});
const nameOf = (value: unknown) => readContent(asFields(value, WHERE), PAIRS, WHERE).layout.name;

test.each<[string, Record<string, unknown>, ChatContent]>([
  ["conversations with a prompt", { prompt: [user], chosen: [good], rejected: [bad] }, chat([user])],
  [
    "conversations with a prompt",
    { prompt: [system, user], chosen: [system, user, good], rejected: [system, user, bad] },
    chat([system, user]),
  ],
  [
    "whole conversations, the prompt is what both share",
    { chosen: [...turn, user, good], rejected: [...turn, user, bad] },
    chat([...turn, user]),
  ],
  [
    "UltraFeedback's conversations (prompt is a string)",
    {
      prompt: "q",
      prompt_id: "x",
      chosen: [user, good],
      rejected: [user, bad],
      messages: [user, good],
      score_chosen: 8,
    },
    chat([user]),
  ],
  [
    "UltraFeedback's conversations (prompt is a string)",
    { prompt: "q", system: "s", chosen: [user, good], rejected: [user, bad] },
    chat([system, user]),
  ],
  [
    "UltraFeedback's conversations (prompt is a string)",
    { prompt: "q", chosen: [good], rejected: [bad] },
    chat([user]),
  ],
  [
    "UltraFeedback's conversations (prompt is a string)",
    { prompt: "q", question: "q", chosen: [user, good], rejected: [user, bad] },
    chat([user]),
  ],
  ["a prompt of messages with one reply each", { prompt: [user], chosen: "a", rejected: "b" }, chat([user])],
  ["a prompt of messages with one reply each", { prompt: [user], chosen: good, rejected: bad }, chat([user])],
  [
    "LLaMA-Factory alpaca ranking",
    { instruction: "q", input: "", system: "", history: [], chosen: "a", rejected: "b" },
    chat([user]),
  ],
  [
    "LLaMA-Factory alpaca ranking",
    { instruction: "q", input: "more", system: "s", history: [["q0", "a0"]], chosen: "a", rejected: "b" },
    chat([system, ...turn, { role: "user", content: "q\nmore" }]),
  ],
  [
    "LLaMA-Factory sharegpt ranking",
    {
      conversations: [
        { from: "human", value: "q0" },
        { from: "gpt", value: "a0" },
        { from: "human", value: "q" },
      ],
      chosen: { from: "gpt", value: "a" },
      rejected: { from: "gpt", value: "b" },
      system: "s",
      tools: '[{"name": "f"}]',
    },
    chat([system, ...turn, user], { tools: [{ name: "f" }] }),
  ],
  [
    "messages with one reply each (LLaMA-Factory openai, Axolotl chat_template)",
    { messages: [user], chosen: good, rejected: bad },
    chat([user]),
  ],
  [
    "messages with one reply each (LLaMA-Factory openai, Axolotl chat_template)",
    { messages: [user], chosen: "a", rejected: "b" },
    chat([user]),
  ],
  ["Axolotl bradley_terry.chat_template", { input: "q", chosen: "a", rejected: "b" }, chat([user])],
  [
    "Axolotl bradley_terry.chat_template",
    { system: "s", input: "q", chosen: "a", rejected: "b" },
    chat([system, user]),
  ],
  ["Axolotl chatml.intel", { system: "s", question: "q", chosen: "a", rejected: "b" }, chat([system, user])],
  [
    "Axolotl chatml.prompt_pairs",
    { system: "s", prompt: "q", chosen: "a", rejected: "b" },
    chat([system, user]),
  ],
  [
    "Axolotl chatml.argilla",
    { instruction: "q", chosen_response: "a", rejected_response: "b", chosen_avg_rating: 5 },
    chat([user]),
  ],
])("%s: %j", (name, value, content) => {
  expect(nameOf(value)).toBe(name);
  expect(parsePreference(value, WHERE).content).toEqual(content);
});

test("what a layout doesn't read is kept: reports group by it", () => {
  const row = {
    prompt: "q",
    chosen: [user, good],
    rejected: [user, bad],
    score_chosen: 8,
    source: "x",
    id: 7,
  };
  expect(parsePreference({ ...row, margin: 2, messages: [user] }, WHERE)).toMatchObject({
    margin: 2,
    extra: { score_chosen: 8, source: "x", id: 7, messages: [user] },
  });
});

test("the margins and labels of any layout", () => {
  const row = { input: "q", chosen: "a", rejected: "b", margin: 0.5, label: 0.25 };
  expect(parsePreference(row, WHERE)).toMatchObject({ margin: 0.5, label: 0.25, extra: {} });
});

test("TRL's old names of ids", () => {
  const row = { chosen_input_ids: [1, 2], rejected_input_ids: [1], chosen_attention_mask: [1, 1] };
  expect(parsePreference(row, WHERE)).toMatchObject({
    content: { kind: "ids", prompt: [], replies: [[1, 2], [1]] },
    extra: { chosen_attention_mask: [1, 1] },
  });
});

test("strings without a prompt stay whole, as in hh-rlhf", () => {
  const row = { chosen: "\n\nHuman: q\n\nAssistant: a", rejected: "\n\nHuman: q\n\nAssistant: b" };
  expect(nameOf(row)).toBe("pairs of strings");
  expect(parsePreference(row, WHERE).content).toEqual({
    kind: "text",
    prompt: "",
    replies: [row.chosen, row.rejected],
  });
});

test("fields that say nothing don't make another layout", () => {
  const row = { prompt: "p", chosen: "a", rejected: "b", input: "", system: "", history: [], messages: null };
  expect(nameOf(row)).toBe("pairs of strings");
});

test.each<[Record<string, unknown>, string]>([
  [
    { prompt: "p", instruction: "i", chosen: "a", rejected: "b" },
    "prompt doesn't go with chosen as LLaMA-Factory alpaca ranking; use only instruction, input, system, history, chosen, rejected, tools, chat_template_kwargs, or leave prompt out with --columns prompt=",
  ],
  [
    { prompt: "p", input: "i", chosen: "a", rejected: "b" },
    "prompt doesn't go with chosen as Axolotl bradley_terry",
  ],
  [{ question: "q", input: "i", chosen: "a", rejected: "b" }, "question doesn't go with chosen"],
  [
    { prompt: "p", chosen: "a", rejected: "b", tools: [{}] },
    "tools doesn't go with chosen as pairs of strings",
  ],
  [
    { prompt: "p", question: "q", chosen_response: "a", rejected_response: "b" },
    "prompt and question: which one",
  ],
  [{ instruction: "", chosen: "a", rejected: "b" }, "instruction: empty, and no input"],
])("%j is ambiguous: refused with what was found and what to do", (row, message) => {
  expect(() => parsePreference(row, WHERE)).toThrow(`${WHERE}: ${message}`);
});
