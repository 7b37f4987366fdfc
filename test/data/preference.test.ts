/** @file Preference records: what is accepted, and what a refusal says. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parsePreference, readPreferences } from "../../src/data/preference.ts";
import { InputError } from "../../src/errors.ts";

const WHERE = "p.jsonl:7";

test("strings, with every other field kept as extra", () => {
  expect(
    parsePreference({ prompt: "p", chosen: "a", rejected: "b", margin: 0.5, topic: "x", n: [1] }, WHERE),
  ).toEqual({
    where: WHERE,
    content: { kind: "text", prompt: "p", replies: ["a", "b"] },
    margin: 0.5,
    extra: { topic: "x", n: [1] },
  });
});

test.each([0, 0.5, 1])("a label of %d is kept apart from the other fields", (label) => {
  const record = parsePreference({ chosen: "a", rejected: "b", label }, WHERE);
  expect(record).toMatchObject({ label, extra: {} });
  expect(record).not.toHaveProperty("margin");
});

test("a missing or null prompt is the empty one; a null margin is none", () => {
  for (const prompt of [{}, { prompt: null, margin: null, chosen_ids: null }]) {
    expect(parsePreference({ ...prompt, chosen: "a", rejected: "b" }, WHERE)).toEqual({
      where: WHERE,
      content: { kind: "text", prompt: "", replies: ["a", "b"] },
      extra: {},
    });
  }
});

test("ids", () => {
  expect(parsePreference({ prompt_ids: [1], chosen_ids: [2, 3], rejected_ids: [] }, WHERE).content).toEqual({
    kind: "ids",
    prompt: [1],
    replies: [[2, 3], []],
  });
});

test.each([
  [3, "expected a JSON object, found the number 3"],
  [[], "expected a JSON object, found a list of 0"],
  [{ prompt: "x", a: 1 }, "expected chosen and rejected, or chosen_ids and rejected_ids; found prompt, a"],
  [{ chosen: "a" }, "rejected: missing"],
  [{ chosen: "a", rejected: 4 }, "rejected: expected a string, found the number 4"],
  [{ chosen: "a", rejected: null }, "rejected: expected a string, found null"],
  [{ chosen: "a", rejected: "b", margin: "1" }, 'margin: expected a finite number, found the string "1"'],
  [{ chosen: "a", rejected: "b", margin: Number.POSITIVE_INFINITY }, "margin: expected a finite number"],
  [{ chosen: "a", rejected: "b", margin: Number.NaN }, "margin: expected a finite number"],
  [{ chosen: "a\ud800", rejected: "b" }, "chosen: holds half of a surrogate pair"],
  [{ chosen: [{ role: "user" }], rejected: [] }, "chosen[0].content: missing"],
  [{ messages: [] }, "expected chosen and rejected, or chosen_ids and rejected_ids; found messages"],
  [
    { prompt: "x", completion: "y", label: true },
    "single-label rows {prompt, completion, label} are data for the loss kto; expected chosen and rejected",
  ],
  [{ prompt: "x", responses: ["y", "z"] }, "lists of replies are data for the losses of ranked lists"],
  [
    { chosen: "a", rejected: "b", label: true },
    "label: expected a number from 0 to 1; true and false label single",
  ],
  [{ chosen: "a", rejected: "b", label: 1.5 }, "label: expected a number from 0 to 1"],
  [
    { chosen: "a", rejected: "b", label: "x" },
    'label: expected a number from 0 to 1, the probability that chosen is better, found the string "x"',
  ],
  [
    { chosen: [1], rejected: [2] },
    "chosen: expected a string; token ids go into the fields that end in _ids",
  ],
  [{ chosen_ids: [1, -2], rejected_ids: [2] }, "chosen_ids[1]: expected a token id, found the number -2"],
  [{ chosen_ids: [1.5], rejected_ids: [2] }, "chosen_ids[0]: expected a token id, found the number 1.5"],
  [{ chosen_ids: [2 ** 31], rejected_ids: [2] }, "chosen_ids[0]: expected a token id"],
  [
    { chosen_ids: [1], rejected_ids: "2" },
    'rejected_ids: expected a list of token ids, found the string "2"',
  ],
  [{ chosen_ids: [1], rejected_ids: [2], prompt: "x" }, "prompt doesn't go with chosen_ids"],
  [{ chosen_ids: [1], rejected_ids: [2], chosen: "x", rejected: "y" }, "chosen_ids doesn't go with chosen"],
])("%j is refused", (value, message) => {
  expect(() => parsePreference(value, WHERE)).toThrow(InputError);
  expect(() => parsePreference(value, WHERE)).toThrow(`${WHERE}: ${message}`);
});

test("a file is read whole; the first bad line stops it; an empty file is refused", async () => {
  const dir = await mkdtemp(join(tmpdir(), "rmtrain-preference-"));
  const path = join(dir, "p.jsonl");
  await writeFile(path, '{"chosen":"a","rejected":"b"}\n\n{"chosen":"c","rejected":"d"}\n');
  expect((await readPreferences(path)).map((r) => r.where)).toEqual([`${path}:1`, `${path}:3`]);
  await writeFile(path, '{"chosen":"a","rejected":"b"}\n{"chosen":"c"}\n');
  await expect(readPreferences(path)).rejects.toThrow(`${path}:2: rejected: missing`);
  await writeFile(path, "\n");
  await expect(readPreferences(path)).rejects.toThrow(/no records/);
  await rm(dir, { recursive: true });
});
