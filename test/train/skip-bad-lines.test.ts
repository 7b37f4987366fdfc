/** @file --skip-bad-lines in training: lines are left out and counted wherever it shows that they are bad. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { InputError } from "../../src/errors.ts";
import { chatReader } from "../../src/model/chat/chat-reader.ts";
import { readChatTemplate } from "../../src/model/chat/template.ts";
import { readRecords, tokeniseRecords } from "../../src/train/dataset.ts";
import { temporaryFolder } from "../model/tiny-model.ts";
import { idPairs, jsonl } from "./records.ts";

const source = { evalSplit: 0, seed: 0, skipBadLines: true };
const noChats = () => chatReader("none", undefined, undefined);

it("a line that is no JSON, one that is no pair, one with an id that the model has not, an empty side", async () => {
  const bad = [
    "{",
    { chosen_ids: [1] },
    { chosen_ids: [1], rejected_ids: [40] },
    { chosen_ids: [], rejected_ids: [1] },
  ];
  const data = jsonl([...bad, ...idPairs(6)]);
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const options = { recipe: { addEos: false }, vocabSize: 40 };
  const records = await readRecords({ ...source, data }, noChats(), note);
  const { train } = tokeniseRecords(records, options, source, note);
  expect(train.pairs.map(({ record }) => record.where)).toEqual(
    [5, 6, 7, 8, 9, 10].map((n) => `${data}:${n}`),
  );
  expect(train.counts.records).toBe(6);
  expect(notes[1]).toMatch(/^2 bad lines skipped:\n.*:1: not valid JSON.*\n.*:2: rejected_ids: missing/);
  expect(notes[2]).toMatch(/^2 bad lines skipped:\n.*:3: token id 40 is outside.*\n.*:4: an empty sequence/);
  expect(() => tokeniseRecords(records, options)).toThrow(`${data}:3: token id 40`);
});

it("a conversation that the template refuses", async () => {
  const template = join(temporaryFolder(), "strict.jinja");
  writeFileSync(
    template,
    "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('no') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}",
  );
  const pair = (prompt: string) => ({
    prompt: [{ role: "user", content: prompt }],
    chosen: "a",
    rejected: "b",
  });
  const data = jsonl([pair("yes"), pair("no"), pair("yes, too")]);
  const notes: string[] = [];
  await using chats = chatReader("models/base-random", undefined, await readChatTemplate(template));
  const { train } = await readRecords({ ...source, data }, chats, (text) => void notes.push(text));
  expect(train.map(({ where }) => where)).toEqual([`${data}:1`, `${data}:3`]);
  expect(notes.join("\n")).toMatch(/1 bad line skipped:\n {2}.*:2: .*no/);
  const strict = readRecords({ ...source, skipBadLines: false, data }, chats);
  await expect(strict).rejects.toThrow(`${data}:2: `);
});

it("where there is no template all conversations are bad, which is an error", async () => {
  const data = jsonl([{ prompt: [{ role: "user", content: "q" }], chosen: "a", rejected: "b" }]);
  const reading = readRecords({ ...source, data }, noChats());
  await expect(reading).rejects.toThrow(InputError);
  await expect(readRecords({ ...source, data }, noChats())).rejects.toThrow(
    /the only line is bad.*needs a chat template/,
  );
});
