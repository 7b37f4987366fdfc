/** @file Single labels: every layout, what a label may be, and pairs read as two rows. */
import { expect, test } from "vitest";
import type { RecordContent } from "../../../src/data/content.ts";
import { labelledReplies, pairAsRows } from "../../../src/data/labelled-reply.ts";
import type { PreferenceRecord } from "../../../src/data/preference.ts";

const WHERE = "k:1";
const user = { role: "user", content: "q" };
const said = { role: "assistant", content: "a" };
const chat = { kind: "chat", prompt: [user], replies: [[said]] };
const text = { kind: "text", prompt: "q", replies: ["a"] };
const turns = [
  { from: "human", value: "q" },
  { from: "gpt", value: "a" },
];

test.each<[object, object, boolean, string]>([
  [{ prompt: "q", completion: "a", label: true }, text, true, "labelled prompts and replies"],
  [{ prompt: "q", response: "a", label: 0 }, text, false, "labelled prompts and replies"],
  [{ completion: "a", kto_tag: false }, { ...text, prompt: "" }, false, "labelled prompts and replies"],
  [
    { prompt_ids: [1], completion_ids: [2], label: 1 },
    { kind: "ids", prompt: [1], replies: [[2]] },
    true,
    "labelled token ids of prompts and replies",
  ],
  [{ prompt: [user], completion: [said], label: true }, chat, true, "labelled conversations and replies"],
  [{ prompt: [user], completion: "a", label: true }, chat, true, "labelled conversations and replies"],
  [{ messages: [user, said], label: false }, chat, false, "labelled conversations"],
  [{ instruction: "q", output: "a", kto_tag: true }, chat, true, "LLaMA-Factory alpaca KTO"],
  [{ conversations: turns, kto_tag: false }, chat, false, "LLaMA-Factory sharegpt KTO"],
])("%j", (row, content, wanted, layout) => {
  const read = labelledReplies.parse({ ...row, topic: "t" }, WHERE);
  expect(read.record).toEqual({ kind: "row", where: WHERE, content, wanted, extra: { topic: "t" } });
  expect(read.layout).toBe(layout);
});

test.each([
  [{ prompt: "q", completion: "a" }, "label: expected true (wanted) or false (unwanted), missing"],
  [
    { prompt: "q", completion: "a", label: 0.5 },
    "label: expected true (wanted) or false (unwanted), found the number",
  ],
  [
    { prompt: "q", completion: "a", label: "yes" },
    'label: expected true (wanted) or false (unwanted), found the string "yes"',
  ],
  [
    { prompt: "q", completion: "a", label: true, kto_tag: true },
    "label and kto_tag: which one is the label?",
  ],
  [
    { prompt: "q", completion: "a", response: "b", label: true },
    "completion and response: which one is the reply?",
  ],
  [
    { prompt: "q", completion: 4, label: true },
    "completion: expected a string or a list of text parts, found the number 4",
  ],
  [{ prompt: [user], completion: [user], label: true }, "the reply ends in a message of role user"],
  [{ prompt: "q", responses: ["a", "b"], ranks: [0, 1] }, "lists of replies are data for the losses"],
  [{ prompt: "q", label: true }, "expected prompt, completion and label"],
])("%j is refused", (row, message) => {
  expect(() => labelledReplies.parse(row, WHERE)).toThrow(`${WHERE}: `);
  expect(() => labelledReplies.parse(row, WHERE)).toThrow(message);
});

const pair = (more: object = {}) =>
  labelledReplies.parse({ prompt: "q", chosen: "a", rejected: "b", topic: "t", ...more }, WHERE)
    .record as PreferenceRecord<RecordContent> as PreferenceRecord;

test("a pair is a wanted and an unwanted row; a label below a half turns it round, a tie is none", () => {
  const replies = (rows: ReturnType<typeof pairAsRows>) =>
    rows.map(({ content, wanted, extra }) => [content.replies, wanted, extra]);
  expect(replies(pairAsRows(pair()))).toEqual([
    [["a"], true, { topic: "t" }],
    [["b"], false, { topic: "t" }],
  ]);
  expect(replies(pairAsRows(pair({ label: 0.2, margin: 2 })))).toEqual([
    [["a"], false, { topic: "t", label: 0.2, margin: 2 }],
    [["b"], true, { topic: "t", label: 0.2, margin: 2 }],
  ]);
  expect(pairAsRows(pair({ label: 0.5 }))).toEqual([]);
});
