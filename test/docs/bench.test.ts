/** @file docs/bench.md names options that there are, and the columns as they are printed. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { expect, it } from "vitest";
import { kernelColumns } from "../../src/cli/bench/tables.ts";
import { register } from "../../src/cli/bench.ts";

const text = readFileSync("docs/bench.md", "utf8");

it("every option exists, and the default budget is the one that is named", () => {
  const root = new Command();
  register(root);
  const options = root.commands[0]?.options ?? [];
  const named = [...text.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag);
  expect(named.length).toBeGreaterThan(10);
  const known = options.flatMap(({ long }) => long ?? []);
  expect(named.filter((flag) => !known.includes(flag))).toEqual([]);
  const budget = options.find(({ long }) => long === "--budget");
  expect(text).toContain(`within ${budget?.defaultValue} seconds`);
});

it("every column is explained", () => {
  const explained = [...text.matchAll(/^\| ([a-zA-Z/]+) \|/gm)].map(([, name]) => name);
  const columns = kernelColumns.map((name) => name.replace("#", "")).filter((name) => name !== "shape");
  expect(explained).toEqual(["column", ...columns]);
});
