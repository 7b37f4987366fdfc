/** @file The tuner: what wins, what may not, and that every operation of the registry can be tuned and compared. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tuningCases } from "../../../src/kernels/tuning/cases.ts";
import { wrongVariants } from "../../../src/kernels/tuning/compare.ts";
import { TuningTable } from "../../../src/kernels/tuning/table.ts";
import { tune, winner } from "../../../src/kernels/tuning/tune.ts";
import { variantRegistry } from "../../../src/kernels/variant-registry.ts";
import { type OperationVariants, runnableVariants } from "../../../src/kernels/variants.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { useGpu } from "../../support/gpu.ts";
import { weightDtypes } from "../../support/weights.ts";

const gpu = useGpu({ variants: {} });
/** Of attention, columns are the head size: even, from 4 on. */
const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 70 }),
  cols: fc.integer({ min: 2, max: 35 }).map((half) => 2 * half),
  dtype: fc.constantFrom(...weightDtypes),
  tokens: fc.integer({ min: 1, max: 70 }),
});

it("every operation of the registry has a case", () => {
  expect(Object.keys(tuningCases).sort()).toEqual(variantRegistry.map((of) => of.operation).sort());
});

describe.each(variantRegistry.map((of) => [of.operation, of] as const))("%s", (operation, of) => {
  it("all variants give the baseline's bits, or nearly them where that is what is promised", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ tokens, ...weight }) => {
        using _ = gpu().scope();
        const record = tuningCases[operation]!(gpu(), weight, tokens);
        expect(Object.fromEntries(await wrongVariants(gpu(), of, record))).toEqual({});
      }),
      { numRuns: 8 },
    );
  });

  it("each variant runs a kernel of its own", () => {
    const used = runnableVariants(gpu(), of).map((variant) => {
      const forced = () => {
        using _ = gpu().scope();
        const record = tuningCases[operation]!(gpu(), { rows: 48, cols: 64, dtype: "f32" }, 40);
        return gpu().variants.forcing(operation, variant, record);
      };
      return JSON.stringify(gpu().recorder.collect(forced));
    });
    expect(new Set(used).size).toBe(used.length);
  });
});

it.each(["linear", "attention"])(
  "%s: all variants are timed beside the default, and what wins can run",
  async (operation) => {
    const of = variantRegistry.find((known) => known.operation === operation)!;
    const tuned = await tune(gpu(), { operation, rows: 32, cols: 32, dtype: "f32", fewRows: of.equalBits });
    const runnable = runnableVariants(gpu(), of);
    expect([...(tuned?.costs.keys() ?? [])].sort()).toEqual(["default", ...runnable].sort());
    expect([...(tuned?.wrong ?? [])]).toEqual([]);
    expect([null, ...runnable]).toContain(tuned?.entry.variant);
  },
);

describe("comparing", () => {
  const operation = (equalBits: boolean): OperationVariants<"right" | "near" | "far" | "not a number"> => ({
    operation: "test",
    variants: ["right", "near", "far", "not a number"],
    equalBits,
    canRun: () => true,
  });
  const values = { right: 1, near: 1 + 2 ** -20, far: 1.001, "not a number": Number.NaN };
  const record = () => {
    const chosen = gpu().variants.forced.get("test") as keyof typeof values;
    return uploadTensor(gpu(), Float32Array.of(1, values[chosen], 2), 3, "result");
  };

  it("bit for bit, or within the error bound; NaN is wrong", async () => {
    expect([...(await wrongVariants(gpu(), operation(true), record)).keys()]).toEqual([
      "near",
      "far",
      "not a number",
    ]);
    expect([...(await wrongVariants(gpu(), operation(false), record))]).toEqual([
      ["far", expect.stringMatching(/relative error is 4\.1e-4/)],
      ["not a number", expect.stringMatching(/NaN/)],
    ]);
  });
});

it("a table's choice runs, and only for its weight", async () => {
  using _ = gpu().scope();
  const x = () => tuningCases.linear!(gpu(), { rows: 24, cols: 40, dtype: "f32" }, 30);
  const other = () => tuningCases.linear!(gpu(), { rows: 28, cols: 40, dtype: "f32" }, 30);
  const key = { operation: "linear", rows: 24, cols: 40, dtype: "f32", fewRows: false };
  const kernels = (record: () => unknown) =>
    gpu()
      .recorder.collect(record)
      .map(({ kernel }) => kernel.name);
  const before = [kernels(x()), kernels(other()), await readTensor(gpu(), x()())];
  gpu().variants.tuned = await TuningTable.of([{ ...key, variant: "tile" }], "test");
  try {
    expect(kernels(x())).toEqual(["linear_tile"]);
    expect(kernels(other())).toEqual(before[1]);
    expect(await readTensor(gpu(), x()())).toEqual(before[2]);
  } finally {
    gpu().variants.tuned = undefined;
  }
  expect(kernels(x())).toEqual(before[0]);
});

describe("the winner", () => {
  const costs = (entries: Readonly<Record<string, readonly [number, number]>>) =>
    new Map(
      Object.entries({ default: [1, 1] as const, ...entries }).map(([name, [middle, upper]]) => [
        name,
        { median: middle, upperQuartile: upper },
      ]),
    );
  const none = new Map<string, string>();

  it("is the fastest of those that are clearly and steadily faster than the default", () => {
    expect(winner(costs({ a: [0.8, 0.9], b: [0.7, 0.9] }), none)).toBe("b");
    expect(winner(costs({ a: [0.8, 0.9], b: [0.7, 1.1] }), none)).toBe("a");
    expect(winner(costs({ a: [0.97, 0.98], b: [1, 1] }), none)).toBeNull();
    expect(winner(costs({}), none)).toBeNull();
  });

  it("is the fastest right one, however slow, where the default is wrong", () => {
    expect(winner(costs({ a: [3, 3], b: [2, 4] }), new Map([["default", "differs"]]))).toBe("b");
  });
});
