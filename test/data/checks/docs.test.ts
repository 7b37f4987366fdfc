/** @file docs/checks.md names every check, and no other. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

it("names every check that the code can report, and no other", () => {
  const code = readdirSync(`${root}src/data/checks`)
    .map((file) => readFileSync(`${root}src/data/checks/${file}`, "utf8"))
    .join("");
  const calls = /(?:findingOf|sideFinding|equalSides)\(\s*(?:set,\s*)?"([a-z-]+)"/g;
  const sorted = (text: string, name: RegExp) =>
    [...new Set([...text.matchAll(name)].map((m) => m[1]))].sort();
  const names = sorted(code, calls);
  expect(names.length).toBeGreaterThan(20);
  expect(sorted(readFileSync(`${root}docs/checks.md`, "utf8"), /^\| `([a-z-]+)` \|/gm)).toEqual(names);
});
