/** @file Conversations to score, alone and as pairs. */
import { expect, test } from "vitest";
import { parseScoreRecord } from "../../../src/data/score-record.ts";

const WHERE = "s:1";
const user = { role: "user", content: "q" };
const said = { role: "assistant", content: "a" };
const chat = { kind: "chat", prompt: [user], replies: [[said]] };

test.each([
  [{ messages: [user, said] }, chat],
  [{ messages: [user, said, said] }, { ...chat, replies: [[said, said]] }],
  [
    {
      messages: [
        { from: "human", value: "q" },
        { from: "gpt", value: "a" },
      ],
    },
    chat,
  ],
  [{ prompt: [user], response: [said] }, chat],
  [{ prompt: [user], response: said }, chat],
  [{ prompt: [user], response: "a" }, chat],
  [{ prompt: "q", response: [said] }, chat],
  [{ prompt: [user], completion: [said], label: true }, chat],
  [
    { prompt: "q", completion: "a", label: true },
    { kind: "text", prompt: "q", replies: ["a"] },
  ],
  [
    { messages: [user, said], tools: [{ name: "f" }] },
    { ...chat, tools: [{ name: "f" }] },
  ],
])("%j", (row, content) => {
  expect(parseScoreRecord({ ...row, id: 3 }, WHERE)).toEqual({ where: WHERE, content, pair: false, id: 3 });
});

test("pairs of any layout", () => {
  for (const row of [
    { chosen: [user, said], rejected: [user, said], messages: [user, said] },
    { input: "q", chosen: "a", rejected: "a" },
  ])
    expect(parseScoreRecord(row, WHERE)).toMatchObject({
      pair: true,
      content: { replies: [[said], [said]] },
    });
});

test.each([
  [{ messages: [] }, "messages: no message"],
  [{ messages: [user] }, "messages: no message before the reply"],
  [{ messages: [said, said] }, "messages: no message before the reply"],
  [{ messages: [user, said, user] }, "the reply ends in a message of role user"],
  [{ messages: "q" }, "messages: expected a list of messages"],
  [{ response: [said] }, "prompt: missing"],
  [{ prompt: [user], response: [] }, "response: no message"],
  [{ prompt: "q", completion: "a", response: "b" }, "completion and response: which one is the reply?"],
  [{ prompt: "q", responses: ["a"] }, "responses: expected at least two replies"],
  [{ other: 1 }, "expected text, or response, or messages"],
])("%j is refused", (row, message) => {
  expect(() => parseScoreRecord(row, WHERE)).toThrow(`${WHERE}: ${message}`);
});
