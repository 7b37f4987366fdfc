/** @file Where a folder's chat template is found, and what is said where there is none. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findChatTemplate, readChatTemplate } from "../../../src/model/chat/template.ts";
import { temporaryFolder } from "../tiny-model.ts";

function folder(files: Readonly<Record<string, unknown>>): string {
  const dir = temporaryFolder();
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), typeof value === "string" ? value : JSON.stringify(value));
  }
  return dir;
}
const both = [
  { name: "default", template: "{{ 1 }}" },
  { name: "tool_use", template: "{{ 2 }}" },
];

test("tokenizer_config.json: a string, or a list of which default is taken", async () => {
  const one = folder({ "tokenizer_config.json": { chat_template: "{{ 0 }}" } });
  expect(await findChatTemplate(one)).toEqual({
    source: "{{ 0 }}",
    sha256: createHash("sha256").update("{{ 0 }}").digest("hex"),
    origin: join(one, "tokenizer_config.json"),
  });
  const list = folder({ "tokenizer_config.json": { chat_template: both } });
  expect((await findChatTemplate(list))?.source).toBe("{{ 1 }}");
  const named = await findChatTemplate(list, "tool_use");
  expect(named).toMatchObject({
    source: "{{ 2 }}",
    origin: expect.stringContaining("chat template tool_use"),
  });
  await expect(findChatTemplate(list, "rag")).rejects.toThrow("it has: default, tool_use");
});

test("files of their own come first, as in transformers", async () => {
  const dir = folder({
    "chat_template.jinja": "{{ 3 }}",
    "additional_chat_templates/tool_use.jinja": "{{ 4 }}",
    "tokenizer_config.json": { chat_template: both },
  });
  expect((await findChatTemplate(dir))?.source).toBe("{{ 3 }}");
  expect((await findChatTemplate(dir, "tool_use"))?.source).toBe("{{ 4 }}");
});

test("none, or none that can be read", async () => {
  expect(await findChatTemplate(folder({}))).toBeUndefined();
  expect(
    await findChatTemplate(folder({ "tokenizer_config.json": { chat_template: null } })),
  ).toBeUndefined();
  await expect(findChatTemplate(folder({}), "rag")).rejects.toThrow(
    "no chat template named rag; it has none",
  );
  await expect(findChatTemplate(folder({ "tokenizer_config.json": "{" }))).rejects.toThrow("damaged");
  await expect(findChatTemplate(folder({ "tokenizer_config.json": { chat_template: 3 } }))).rejects.toThrow(
    "a string, or a list of {name, template}",
  );
});

test("--chat-template is a file or another model's folder", async () => {
  const dir = folder({ "x.jinja": "{{ messages }}", "empty.jinja": "\n", "notes.txt": "hello", "m/a": "" });
  expect((await readChatTemplate(join(dir, "x.jinja"))).source).toBe("{{ messages }}");
  const other = folder({ "tokenizer_config.json": { chat_template: both } });
  expect((await readChatTemplate(other)).source).toBe("{{ 1 }}");
  expect((await readChatTemplate(other, "tool_use")).source).toBe("{{ 2 }}");
  const refusals: [string, string | undefined, string][] = [
    ["x.jinja", "rag", "x.jinja is a file"],
    ["empty.jinja", undefined, "empty.jinja is empty"],
    ["notes.txt", undefined, "holds no Jinja"],
    ["nothing", undefined, "nothing: no such file or folder"],
    ["m", undefined, "the folder has no chat_template.jinja"],
  ];
  for (const [name, choice, message] of refusals)
    await expect(readChatTemplate(join(dir, name), choice)).rejects.toThrow(message);
});
