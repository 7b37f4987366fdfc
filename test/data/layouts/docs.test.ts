/** @file docs/records.md names every layout with its fields. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PAIRS } from "../../../src/data/layouts/pairs.ts";

const rows = readFileSync("docs/records.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));

test.each(PAIRS.layouts.map((layout) => [layout.name, layout] as const))("%s", (name, layout) => {
  const fields = rows.find((cells) => cells[1] === name)?.[2] ?? expect.fail("no row in docs/records.md");
  const named = [...fields.matchAll(/`(\w+)\??`/g)].map((match) => match[1] ?? "");
  expect(named.length).toBeGreaterThan(1);
  for (const field of named) expect(layout.fields).toContain(field);
});

test("it names no layout that there is not", () => {
  const section = readFileSync("docs/records.md", "utf8").split("## ")[2] ?? "";
  const names = [...section.matchAll(/^\| ([^|]+) \| `/gm)].map((match) => match[1]);
  expect(names.sort()).toEqual(PAIRS.layouts.map((layout) => layout.name).sort());
});
