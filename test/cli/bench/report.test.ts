/** @file Reports of the benchmark without a device: reading, comparing, what is said about them, the page. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compare } from "../../../src/cli/bench/compare.ts";
import { markdownTable } from "../../../src/cli/bench/markdown.ts";
import { modelShape } from "../../../src/cli/bench/model-shape.ts";
import { benchPage } from "../../../src/cli/bench/page.ts";
import { parseReport } from "../../../src/cli/bench/report.ts";
import { familyOf, fastest } from "../../../src/cli/bench/roofline.ts";
import { beaten, comparisonText, remarks, reportText } from "../../../src/cli/bench/tables.ts";
import { parseConfig } from "../../../src/model/config.ts";
import { report, row } from "./made-report.ts";

test("a report is read as it was written; anything else is refused with the file's name", () => {
  const written = report([row("a", "s", 0.1)]);
  expect(parseReport(JSON.stringify(written), "old.json")).toEqual(written);
  expect(() => parseReport("{", "old.json")).toThrow(/old\.json is no JSON/);
  expect(() => parseReport('{"format":1}', "old.json")).toThrow(/old\.json is no report.*format/);
  const broken = { ...written, rows: [{ ...written.rows[0], seconds: -1 }] };
  expect(() => parseReport(JSON.stringify(broken), "old.json")).toThrow(/rows\.0\.seconds/);
});

test("compare: rows by name and shape, what only one has, whether the settings are the same", () => {
  const before = report([row("a", "s", 0.2), row("b", "s", 0.1), row("gone", "s", 0.1)]);
  const after = report([row("a", "s", 0.1), row("b", "s", 0.102), row("b", "t", 1)], { date: "2026-02-03" });
  const result = compare(before, after);
  expect(result.rows.map(({ name, speedup, apart }) => [name, speedup.toFixed(3), apart])).toEqual([
    ["a", "2.000", true],
    ["b", "0.980", false],
  ]);
  expect(result.onlyBefore).toEqual(["gone s"]);
  expect(result.onlyAfter).toEqual(["b t"]);
  expect(result.sameSetting).toBe(true);
  expect(result.meanSpeedup).toBeCloseTo(Math.sqrt(2 * (0.1 / 0.102)), 10);
  const text = comparisonText(result, "old.json");
  expect(text).toContain("2 rows in both, 1.40 times as fast in the geometric mean; 1 faster and 0 slower");
  expect(text).toContain("| date               | 2026-01-02      | 2026-02-03      |");
  const elsewhere = compare(before, report(after.rows, { adapter: "another one" }));
  expect(elsewhere.sameSetting).toBe(false);
  expect(comparisonText(elsewhere, "old.json")).toContain("The settings differ");
});

test("remarks: rows above a ceiling, data in caches, what was left out and why", () => {
  const rows = [row("impossible", "s", 0.005), row("cached", "s", 0.001, 1e6, 20e6), row("plain", "s", 0.1)];
  const leftOut = [
    { name: "long", shape: "t", reason: "time", seconds: 90 },
    { name: "large", shape: "u", reason: "memory", seconds: 1 },
  ] as const;
  const lines = remarks(report(rows, { leftOut: [...leftOut] })).join("\n");
  expect(lines).toContain("1 rows exceed the fma ceiling, which therefore is none here: impossible s.");
  expect(lines).toContain("1 rows are faster than a copy in memory: their data fit caches. cached s.");
  expect(lines).toContain("1 of 5 rows were left out, about 90 s by estimate: --full runs them");
  expect(lines).toContain("1 of 5 rows don't fit --memory-budget: large u.");
  expect(lines).toContain("medians of 3 to 3 runs by the device's timestamps");
  expect(remarks(report([row("plain", "s", 0.1)])).join("\n")).not.toMatch(/exceed|caches|left out/);
  const units = remarks(report([row("linear:f16 f32", "s", 0.005)])).join("\n");
  expect(units).toContain("1 rows run on matrix units");
  expect(units).not.toContain("exceed");
  const slow = [
    row("linear=tile f32", "s", 0.2),
    row("linear=rows f32", "s", 0.1, 1e9, 1e6, false),
    row("linear=rows f16", "s", 0.1, 1e9, 1e6, false),
    row("linear=tile f16", "s", 0.102),
  ];
  expect(beaten(slow).map(({ name }) => name)).toEqual(["linear=tile f32"]);
  expect(remarks(report(slow)).join("\n")).toContain(
    "than another variant: linear=tile f32 s. `rmtrain tune`",
  );
  expect(() => reportText(report([], { leftOut: [...leftOut] }))).not.toThrow();
});

test("a table in Markdown lines its columns up", () => {
  expect(
    markdownTable(
      ["name", "ms#"],
      [
        ["a", "10.0"],
        ["longer", "1"],
      ],
    ),
  ).toBe("| name   |   ms |\n| ------ | ---: |\n| a      | 10.0 |\n| longer |    1 |\n");
});

test("the page holds the roofline with a point for each row that computes, and escapes what it is told", () => {
  const rows = [
    row("linear=tile f32", "s", 0.1),
    row("linear=broadcast f32", "s", 0.05),
    row("embedding f32", "s", 0.1, 0),
  ];
  const page = benchPage(report(rows, { adapter: "<adapter>" }), compare(report(rows), report(rows)));
  expect(page.match(/<circle/g)).toHaveLength(2);
  expect(page).toContain("&lt;adapter&gt;");
  expect(page).not.toContain("<adapter>");
  expect(page).not.toMatch(/<script/);
  expect([...fastest(rows)].map(({ name }) => name)).toEqual(["linear=broadcast f32", "embedding f32"]);
  expect(familyOf("linear_weight_gradient=broadcast").words).toContain("linear");
  expect(familyOf("head_norm").words).toContain("attention");
  expect(familyOf("layer_norm").words).toContain("norms");
  expect(familyOf("adamw").words).toContain("optimiser");
});

test("a model's shapes are those of its matrices as the engine runs them", () => {
  const file = fileURLToPath(new URL("../../../models/base/config.json", import.meta.url));
  const config = parseConfig(JSON.parse(readFileSync(file, "utf8")), file);
  const { hiddenSize: H, heads, kvHeads, headDim, intermediateSize: inner } = config;
  const shape = modelShape(config);
  expect(shape.matrices).toEqual([
    [(heads + 2 * kvHeads) * headDim, H],
    [H, heads * headDim],
    [config.activation === "swiglu" ? 2 * inner : inner, H],
    [H, inner],
  ]);
  expect(shape.vocabularies).toEqual([config.vocabSize]);
  expect(modelShape({ ...config, dtype: "bfloat16" }).dtypes).toEqual(["bf16"]);
});
