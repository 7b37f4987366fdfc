/** @file Records with conversations become text together; one that the template refuses takes no other with it. */
import { expect, it } from "vitest";
import type { RecordContent } from "../../../src/data/content.ts";
import { InputError } from "../../../src/errors.ts";
import { chatReader } from "../../../src/model/chat/chat-reader.ts";
import { chatTemplate } from "../../../src/model/chat/template.ts";

const picky = chatTemplate(
  "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('no') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}",
  "picky.jinja",
);
const chat = (question: string): RecordContent => ({
  kind: "chat",
  prompt: [{ role: "user", content: question }],
  replies: [[{ role: "assistant", content: "a" }]],
});
const text: RecordContent = { kind: "text", prompt: "", replies: ["t"] };
const records = (contents: readonly RecordContent[]) =>
  contents.map((content, i) => ({ where: `f:${i + 1}`, content }));

it("each record gives its text or its error, in order, and is counted once", async () => {
  await using reader = chatReader("models/base-random", undefined, picky);
  const each = await reader.renderEach(records([chat("one"), text, chat("no"), chat("four")]));
  expect(each.map((r) => (r instanceof InputError ? r.message : r.content))).toEqual([
    expect.objectContaining({ kind: "text", prompt: "<user>one", replies: ["<assistant>a"] }),
    text,
    expect.stringMatching(/^f:3: chat template picky\.jinja: .*no$/),
    expect.objectContaining({ prompt: "<user>four" }),
  ]);
  expect(reader.seen).toEqual({ texts: 1, conversations: 2 });
  await expect(reader.render(records([chat("one"), chat("no")]))).rejects.toThrow("f:2: ");
});

it("records without conversations need no template", async () => {
  await using reader = chatReader("models/base-random", undefined, undefined);
  expect(await reader.renderEach(records([text]))).toMatchObject([{ where: "f:1", content: text }]);
  expect(await reader.renderEach(records([chat("one")]))).toEqual([expect.any(InputError)]);
  expect(await reader.renderEach([])).toEqual([]);
});
