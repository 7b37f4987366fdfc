/** @file docs/tuning.md names options, operations and variants that there are, and says the number of few rows. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { expect, it } from "vitest";
import { register } from "../../src/cli/tune.ts";
import { parseVariants } from "../../src/gpu/variants.ts";
import { variantRegistry } from "../../src/kernels/variant-registry.ts";
import { fewInputRows } from "../../src/kernels/variants.ts";

const text = readFileSync("docs/tuning.md", "utf8");

it("every option of the command exists", () => {
  const root = new Command();
  register(root);
  const known = root.commands[0]?.options.flatMap(({ long }) => long ?? []) ?? [];
  const lines = text.split("\n").filter((line) => line.startsWith("npx rmtrain tune"));
  const named = lines.flatMap((line) => [...line.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag));
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((flag) => !known.includes(flag))).toEqual([]);
});

it("the example of forced variants is one, and few rows are as many as it says", () => {
  const [, example = ""] = /^RMTRAIN_VARIANTS=(\S+) /m.exec(text) ?? [];
  const forced = parseVariants(example, "docs/tuning.md");
  expect(forced.size).toBeGreaterThan(0);
  for (const [operation, variant] of forced)
    expect(variantRegistry.find((of) => of.operation === operation)?.variants).toContain(variant);
  expect(text).toContain(`few rows of input (up to ${fewInputRows})`);
});
