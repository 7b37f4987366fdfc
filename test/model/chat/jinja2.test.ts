/** @file Templates give the text that Jinja2 gives, set up as transformers does (jinja2-cases.py wrote the texts). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "../../../src/model/chat/jinja/template.ts";

interface Cases {
  readonly clock: string;
  readonly variables: Record<string, unknown>;
  readonly cases: readonly { readonly template: string; readonly text?: string; readonly refused?: string }[];
}
const { clock, variables, cases }: Cases = JSON.parse(
  readFileSync(new URL("jinja2-cases.json", import.meta.url), "utf8"),
);
const limits = { text: 1e6, list: 1e5 };
const render = (template: string) => compile(template, limits).render(variables, clock);

test.each(cases)("$template", ({ template, text }) => {
  if (text === undefined) expect(() => render(template)).toThrow();
  else expect(render(template)).toBe(text);
});

test.each([
  ["{{ xs | sum }}", "Unknown ArrayValue filter: sum"],
  ["{{ messages | groupby('role') }}", "groupby"],
  ["{{ 'a' < 'b' }}", 'Unknown operator "<"'],
  ["{{ ('a',) }}", "Unexpected token"],
  ["{{ strftime_now('%Q') }}", "strftime_now doesn't know %Q"],
  ["{{ '\u{1F600}'.strip('\u{1F600}') }}", "strip() of characters beyond U+FFFF"],
])("%s, which is not supported, is an error and not another text", (template, message) => {
  expect(() => render(template)).toThrow(message);
});

test("a rendering that reads the clock says so", () => {
  const [reads, not] = ["{{ strftime_now('%d %B %Y') }}", "{{ xs }}"].map((source) =>
    compile(source, limits),
  );
  expect(reads?.readClock).toBe(false);
  expect(reads?.render({}, "2025-03-05T00:00:00")).toBe("05 March 2025");
  not?.render({}, clock);
  expect([reads?.readClock, not?.readClock]).toEqual([true, false]);
});
