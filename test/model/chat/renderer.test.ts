/** @file A chat template is a program from elsewhere: what it can't do to us, and that we exit when it's done. */
import { spawnSync } from "node:child_process";
import { afterEach, expect, test } from "vitest";
import { InputError } from "../../../src/errors.ts";
import { ChatRenderer, type ChatToRender, type RendererOptions } from "../../../src/model/chat/renderer.ts";
import { chatTemplate } from "../../../src/model/chat/template.ts";
import { CHATML, HEADERS } from "./templates.ts";

const open: ChatRenderer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((renderer) => renderer.close()));
});

function renderer(source: string, options?: RendererOptions): ChatRenderer {
  const made = new ChatRenderer(chatTemplate(source, "t.jinja"), options);
  open.push(made);
  return made;
}
const pair = (i: number): ChatToRender => ({
  where: `f:${i}`,
  content: {
    kind: "chat",
    prompt: [{ role: "user", content: `question ${i}` }],
    replies: [[{ role: "assistant", content: "yes" }], [{ role: "assistant", content: "no" }]],
  },
});
const pairs = (count: number) => Array.from({ length: count }, (_, i) => pair(i));

test("conversations come back in order, batch after batch, and the same each time", async () => {
  const chatml = renderer(CHATML);
  const [first, second] = await Promise.all([chatml.render(pairs(150)), chatml.render(pairs(150))]);
  expect(first.map((chat) => chat.prompt)).toEqual(
    Array.from(
      { length: 150 },
      (_, i) => `<|im_start|>user\nquestion ${i}<|im_end|>\n<|im_start|>assistant\n`,
    ),
  );
  expect(second).toEqual(first);
  expect(await chatml.render([])).toEqual([]);
  expect(chatml.readClock).toBe(false);
});

test("special tokens and the clock", async () => {
  const headers = renderer(HEADERS, { specialTokens: { bos_token: "<B>" }, clock: "2020-02-29T10:00:00" });
  const [chat] = await headers.render([pair(0)]);
  expect(chat?.prompt).toMatch(/^<B><\|start\|>system<\|end\|>\n\nToday: 29 Feb 2020\n/);
  expect(headers.readClock).toBe(true);
  expect(renderer(CHATML).clock).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
});

const DOUBLING =
  "{% set ns = namespace(x='ab') %}{% for i in range(N) %}{% set ns.x = ns.x + ns.x %}{% endfor %}";
const doubled = (times: number) => DOUBLING.replace("N", String(times));

test.each<[string, string, RendererOptions, RegExp]>([
  [
    "an endless loop",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    { timeLimit: 300 },
    /^f:7: chat template t\.jinja: it took longer than 0\.3 s and was stopped$/,
  ],
  [
    "a memory bomb",
    "{% set ns = namespace(x=1) %}{% for a in range(100000) %}{% set ns.x = [ns.x, range(10000)] %}{% endfor %}",
    { heapLimit: 40, timeLimit: 60_000 },
    /^f:7: chat template t\.jinja: it took more than 40 MiB of memory and was stopped$/,
  ],
  [
    "one operation that takes all memory at once",
    `${doubled(22)}{{ ns.x.replace('a', ns.x) }}`,
    { heapLimit: 40, timeLimit: 60_000 },
    /it took more than 40 MiB of memory and was stopped$/,
  ],
  ["an exponential text", `${doubled(60)}{{ ns.x }}`, {}, /a text of more than 16777216 characters$/],
  ["more text than allowed", "{{ messages }}", { textLimit: 20 }, /a text of more than 20 characters$/],
  ["endless recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", {}, /call stack/],
  [
    "an endless range",
    "{% for i in range(10**9) %}{% endfor %}",
    {},
    /range\(\) of more than 100000 numbers$/,
  ],
  ["a template that throws", "{{ raise_exception('no') }}", {}, /^f:7: .*: the template refuses it: no$/],
  ["a template that is none", "{% if %}", {}, /^chat template t\.jinja: Unexpected token/],
  [
    "what is not supported",
    "{{ messages | groupby('role') }}",
    {},
    /^f:7: .*Unknown ArrayValue filter: groupby$/,
  ],
])("%s is stopped with the reason", async (_, source, options, message) => {
  const error: unknown = await renderer(source, options)
    .render([pair(7)])
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect(error).toMatchObject({ message: expect.stringMatching(message) });
});

test("the conversation is named among others; a stopped process stays stopped", async () => {
  const picky = "{% if messages[0].content == 'question 99' %}{{ raise_exception('99') }}{% endif %}";
  await expect(renderer(picky).render(pairs(150))).rejects.toThrow("f:99: chat template t.jinja:");
  const closed = renderer(CHATML);
  await closed.close();
  await expect(closed.render([pair(1)])).rejects.toThrow(
    "f:1: chat template t.jinja: its process ended (SIGKILL)",
  );
  await closed.close();
});

test("a program that leaves its renderer open exits by itself", () => {
  const file = (name: string) =>
    JSON.stringify(new URL(`../../../src/model/chat/${name}`, import.meta.url).href);
  const program = `
    const { ChatRenderer } = await import(${file("renderer.ts")});
    const { chatTemplate } = await import(${file("template.ts")});
    const renderer = new ChatRenderer(chatTemplate("{{ messages[0].content }}", "t"));
    const [chat] = await renderer.render([${JSON.stringify(pair(1))}]);
    console.log(chat.replies.length);`;
  const run = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 50_000,
  });
  expect([run.status, run.stdout.trim(), run.stderr]).toEqual([0, "2", ""]);
});
