/** @file `rmtrain bench`: rows for every kernel and variant, and rates that follow from time and work. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, expect, it } from "vitest";
import type { Comparison } from "../../src/cli/bench/compare.ts";
import { parseReport } from "../../src/cli/bench/report.ts";
import { register } from "../../src/cli/bench.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { benchCases } from "../../src/kernels/bench/cases.ts";
import type { BenchModel } from "../../src/kernels/bench/models.ts";
import { canBuild, catalogue } from "../../src/kernels/catalogue.ts";
import { variantRegistry } from "../../src/kernels/variant-registry.ts";
import { runnableVariants } from "../../src/kernels/variants.ts";
import { useGpu } from "../support/gpu.ts";
import { report, row } from "./bench/made-report.ts";
import { rmtrain } from "./run-rmtrain.ts";

const gpu = useGpu({ variants: {} });
const folder = mkdtempSync(join(tmpdir(), "rmtrain-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tiny: BenchModel = {
  width: 32,
  inner: 64,
  heads: 2,
  kvHeads: 1,
  headDim: 16,
  matrices: [[40, 32]],
  vocabularies: [64],
  dtypes: ["f32", "f16", "bf16"],
};
const cases = () => benchCases(gpu(), [tiny], [3, 40]);

it("has a case that dispatches each kernel, and each variant that this adapter can run", () => {
  const dispatched = new Set<string>();
  for (const { prepare } of cases()) {
    const kernels = gpu().recorder.collect(() => {
      using _ = gpu().scope();
      prepare(gpu())();
    });
    for (const { kernel } of kernels) dispatched.add(kernel.name);
  }
  const ceilings = new Set(["copy", "fma_chain", "fma_chain_narrow"]);
  const missing = catalogue.filter(
    (entry) =>
      canBuild(gpu(), entry) && !dispatched.has(entry.kernel.name) && !ceilings.has(entry.kernel.name),
  );
  expect([...new Set(missing.map(({ kernel }) => kernel.name))]).toEqual([]);
});

it("an operation's row forces the variant that it names", () => {
  const names = new Set(cases().map(({ name }) => name.split(" ")[0]));
  const operations = variantRegistry.flatMap((of) =>
    runnableVariants(gpu(), of).map((variant) => `${of.operation}=${variant}`),
  );
  expect(operations.filter((name) => !names.has(name))).toEqual([]);
  const kernelsOf = (name: string) => {
    const found = cases().find((of) => of.name === name);
    if (found === undefined) throw new Error(`no case ${name}`);
    using _ = gpu().scope();
    const record = found.prepare(gpu());
    return gpu()
      .recorder.collect(() => {
        using _outputs = gpu().scope();
        record();
      })
      .map(({ kernel }) => kernel.name);
  };
  const prepared = (name: string) =>
    cases()
      .find((of) => of.name === name)
      ?.prepare(gpu());
  {
    using _ = gpu().scope();
    expect(prepared("linear=tile f32")?.unforced).toBeDefined();
    expect(prepared("add")?.unforced).toBeUndefined();
  }
  expect(kernelsOf("linear=tile f32")).toEqual(["linear_tile"]);
  expect(kernelsOf("linear=rows bf16")).toEqual(["linear_rows"]);
  expect(gpu().variants.forced.size).toBe(0);
});

it("in another precision class a linear layer is one row, and it runs", async () => {
  using emulated = await openGpu({ precision: "f16-emulated", variants: {} });
  const linears = benchCases(emulated, [tiny], [3]).filter(({ name }) => name.startsWith("linear"));
  expect(linears.map(({ name }) => name)).toEqual([
    ...["f32", "f16", "bf16"].map((dtype) => `linear:f16-emulated ${dtype}`),
    ...["f32", "f16", "bf16"].map((dtype) => `linear_input_gradient:f16-emulated ${dtype}`),
    "linear_weight_gradient:f16-emulated",
  ]);
  for (const { prepare } of linears) {
    using _ = emulated.scope();
    prepare(emulated)();
  }
  await emulated.finish();
});

it("every case runs, at one token too, and what it allocates belongs to its scope", async () => {
  expect(new Set(cases().map(({ name, shape }) => `${name} ${shape}`)).size).toBe(cases().length);
  for (const { name, prepare } of [...cases(), ...benchCases(gpu(), [tiny], [1])]) {
    {
      using _ = gpu().scope();
      prepare(gpu())();
    }
    expect(gpu().memory.live, name).toBe(0);
  }
  await gpu().finish();
});

it("--json, --html and --compare: rows with rates and their share of the ceilings, beside an earlier run", {
  timeout: 120_000,
}, async () => {
  const before = join(folder, "before.json");
  writeFileSync(before, JSON.stringify(report([row("add", "[8, 288]", 10), row("other", "s", 1)])));
  const page = join(folder, "page.html");
  const run = await rmtrain([
    "bench",
    "--filter",
    "add [8, 288]",
    "--json",
    "--compare",
    before,
    "--html",
    page,
  ]);
  expect(run.code, run.err).toBe(0);
  const { rows, ceilings, leftOut, overheads } = parseReport(run.out, "stdout");
  expect(rows.map(({ name, shape }) => `${name} ${shape}`)).toEqual(["add [8, 288]"]);
  expect(leftOut).toEqual([]);
  for (const found of rows) {
    expect(found.chosen).toBe(true);
    expect(found.low).toBeLessThanOrEqual(found.seconds);
    expect(found.high).toBeGreaterThanOrEqual(found.seconds);
    expect(found.bytesPerSecond * found.seconds).toBeCloseTo(12 * 8 * 288, 6);
    const shares = [
      found.flopsPerSecond / ceilings.flopsPerSecond,
      found.bytesPerSecond / ceilings.bytesPerSecond,
    ];
    expect(found.share).toBeCloseTo(Math.max(...shares), 10);
  }
  expect(Object.values(overheads).every((seconds) => seconds >= 0)).toBe(true);
  expect(overheads.read4KiB).toBeGreaterThan(0);
  const { comparison } = JSON.parse(run.out) as { comparison: Comparison };
  expect(comparison.onlyBefore).toEqual(["other s"]);
  expect(comparison.rows[0]?.speedup).toBeCloseTo(10 / rows[0]!.seconds, 5);
  expect(readFileSync(page, "utf8")).toContain("<svg");
});

it("--compile: the pipelines of a kernel, built anew", async () => {
  const { code, out, err } = await rmtrain(["bench", "--compile", "--filter", "segment_"]);
  expect(code, err).toBe(0);
  expect(out).toContain("Pipelines: 2 built one after the other");
  for (const name of ["segment_sums", "segment_spread"]) {
    const [, first = "0"] = new RegExp(`\\| ${name} +\\| +\\d+ \\| +(\\d+) \\|`).exec(out) ?? [];
    // From a cache it would take less than a millisecond.
    if (gpu().facts.software) expect(Number(first), name).toBeGreaterThan(2);
  }
});

it("refuses filters that fit nothing, files that are no reports and options of the other benchmarks", async () => {
  const bench = (...args: string[]) => {
    const program = new Command();
    register(program);
    return program.parseAsync(["bench", ...args], { from: "user" });
  };
  await expect(bench("--filter", "no such kernel")).rejects.toThrow(
    /No row's name and shape contain "no such kernel"\. There are: linear=tile f32, /,
  );
  await expect(bench("--compare", join(folder, "absent.json"))).rejects.toThrow(/Can't read .*absent\.json/);
  await expect(bench("--model", folder)).rejects.toThrow(/Can't read .*config\.json/);
  await expect(bench("--compile", "--filter", "no such kernel")).rejects.toThrow(
    /No pipeline's name contains/,
  );
  await expect(bench("--compile", "--score")).rejects.toThrow("--score and --compile are two benchmarks");
  await expect(bench("--train", "--filter", "x")).rejects.toThrow(
    "--filter: for the benchmark of kernels only",
  );
});
