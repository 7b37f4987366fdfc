/** @file docs/records.md names every layout with its fields. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LABELLED } from "../../../src/data/layouts/labelled.ts";
import type { Layout } from "../../../src/data/layouts/layout.ts";
import { LISTS } from "../../../src/data/layouts/lists.ts";
import { PAIRS } from "../../../src/data/layouts/pairs.ts";

const rows = readFileSync("docs/records.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));

const sections: readonly (readonly [heading: string, layouts: readonly Layout[]])[] = [
  ["Layouts of pairs", PAIRS.layouts],
  ["Single labels", LABELLED.layouts],
  ["Ranked lists", LISTS.layouts],
];
const all = sections.flatMap(([, layouts]) => layouts.map((layout) => [layout.name, layout] as const));

test.each(all)("%s", (name, layout) => {
  const fields = rows.find((cells) => cells[1] === name)?.[2] ?? expect.fail("no row in docs/records.md");
  const named = [...fields.matchAll(/`(\w+)\??`/g)].map((match) => match[1] ?? "");
  expect(named.length).toBeGreaterThan(1);
  for (const field of named) expect(layout.fields).toContain(field);
});

test.each(sections)("under %s it names no layout that there is not", (heading, layouts) => {
  const text = readFileSync("docs/records.md", "utf8");
  const section = text.split("## ").find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const names = [...section.matchAll(/^\| ([^|]+) \| `/gm)].map((match) => match[1]);
  expect(names.sort()).toEqual(layouts.map((layout) => layout.name).sort());
});
