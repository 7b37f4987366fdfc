/** @file `rmtrain bench`: a row for every kernel, and rates that follow from time and work. */
import { expect, it } from "vitest";
import { benchCases } from "../../src/kernels/bench/cases.ts";
import type { BenchRow } from "../../src/kernels/bench/measure.ts";
import { catalogue } from "../../src/kernels/catalogue.ts";
import { useGpu } from "../support/gpu.ts";
import { rmtrain } from "./run-rmtrain.ts";

const gpu = useGpu();

it("has a case for every kernel", () => {
  const names = benchCases(gpu()).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  // Three are the ceilings, one is a pass of norm_weight_gradient's case.
  const elsewhere = new Set(["copy", "fma_chain", "fma_chain_narrow", "norm_statistics"]);
  // A case of attention measures the variant with subgroups where the adapter can run it.
  const measured = (name: string) => name.replace(/_subgroups$/, "");
  const kernels = new Set(
    catalogue.map(({ kernel }) => measured(kernel.name)).filter((name) => !elsewhere.has(name)),
  );
  const cases = new Set(names.map((name) => name.split(" ")[0]));
  expect([...kernels].filter((name) => !cases.has(name))).toEqual([]);
});

it("what a case allocates belongs to its scope", () => {
  const small = benchCases(gpu()).filter(({ name }) =>
    /^(attention|rotary|adamw|clip|pair_loss|row_loss|list_loss)/.test(name),
  );
  for (const { name, prepare } of small) {
    {
      using _ = gpu().scope();
      prepare(gpu())();
    }
    expect(gpu().memory.live, name).toBe(0);
  }
});

it("--json: rows with rates and their share of the ceilings", async () => {
  const { code, out, err } = await rmtrain(["bench", "--json", "--filter", "_norm"]);
  expect(code, err).toBe(0);
  const result = JSON.parse(out) as {
    ceilings: { flopsPerSecond: number; bytesPerSecond: number };
    rows: BenchRow[];
  };
  expect(result.rows.map((row) => row.name).sort()).toEqual([
    "head_norm",
    "head_norm_gradient",
    "layer_norm",
    "rms_norm",
  ]);
  for (const row of result.rows) {
    expect(row.seconds).toBeGreaterThan(0);
    const shares = [
      row.flopsPerSecond / result.ceilings.flopsPerSecond,
      row.bytesPerSecond / result.ceilings.bytesPerSecond,
    ];
    expect(row.share).toBeCloseTo(Math.max(...shares), 10);
  }
});

it("a filter that fits nothing lists the kernels", async () => {
  const { code, out, err } = await rmtrain(["bench", "--filter", "softmax"]);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain('No kernel\'s name contains "softmax"');
  expect(err).toContain("linear_tile bf16");
});
