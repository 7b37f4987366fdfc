/** @file `rmtrain equiv`: a fresh clone's run as a process, its table, JSON and document; exit code 1 for a broken one. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type EquivRow, equivRow, evidenceKinds } from "../../src/audit/equiv/row.ts";
import { report } from "../../src/cli/equiv.ts";
import { rmtrain } from "./run-rmtrain.ts";

const document = readFileSync(fileURLToPath(new URL("../../docs/equivalence.md", import.meta.url)), "utf8");

it("without arguments, in under a minute: every claim holds, every control differs", {
  timeout: 120_000,
}, async () => {
  const began = performance.now();
  const { code, out, err } = await rmtrain(["equiv", "--json"]);
  expect(code, err).toBe(0);
  expect((performance.now() - began) / 1e3).toBeLessThan(60);
  const rows = JSON.parse(out) as EquivRow[];
  for (const { kind, value, bound, pass } of rows) {
    expect(pass).toBe(value <= bound);
    expect(pass).toBe(kind !== "control");
  }
  expect([...new Set(rows.map((row) => row.kind))].sort()).toEqual([...evidenceKinds].sort());
  expect(new Set(rows.map((row) => row.claim)).size).toBe(rows.length);
  // Figures may differ on another adapter; what is claimed may not.
  const claims = (markdown: string) =>
    [...markdown.matchAll(/^\| (.+?) \| [\d.e+-]+ \| [\d.e+-]+ \| (ok|differs) \|$/gm)].map(
      ([, claim]) => claim,
    );
  expect(claims(document)).toEqual(claims(report(rows, "markdown").out));
  expect(claims(document)).toHaveLength(rows.length);
  expect(report(rows, "table").out).toMatch(/^All \d+ rows came out as they must/m);
});

describe("the exit code", () => {
  const good = [
    equivRow("construction", "one function", 0, 0),
    equivRow("independent", "equal", 1e-16, 1e-12, "of 7 pairs"),
    equivRow("control", "blind", 0.3, 1e-12),
    equivRow("optimum", "same", 1e-9, 1e-6),
  ];

  it.each(["table", "json", "markdown"] as const)("is 0 where all is as it must be (%s)", (format) => {
    const { out, err, exitCode } = report(good, format);
    expect([err, exitCode]).toEqual(["", 0]);
    expect(out).toContain("blind");
    expect(out).not.toMatch(/FAILED|EQUAL/);
  });

  it("is 1 for a claim that fails", () => {
    const { out, err, exitCode } = report([...good, equivRow("optimum", "broken", 1, 1e-6)], "table");
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^ {2}FAILED +1 <= 1\.0e-6 +broken$/m);
    expect(out).toContain("1 of 5 rows did not come out as they must.");
    expect(err).toBe('rmtrain equiv: "broken" does not hold: 1 is above 0.000001\n');
  });

  it("is 1 for a control that passes", () => {
    const { out, err, exitCode } = report([...good, equivRow("control", "no reference", 0, 1e-12)], "table");
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^ {2}EQUAL +0 > +1\.0e-12 +no reference$/m);
    expect(err).toContain("the comparison is blind to it");
  });

  it("is 2 for an option that there is not", async () => {
    expect(await rmtrain(["equiv", "--seed", "x"])).toMatchObject({ code: 2 });
  });
});
