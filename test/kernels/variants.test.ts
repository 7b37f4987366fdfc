/** @file Which variant runs: forced, tuned, by default; names that don't exist; the registry's promises. */
import { afterEach, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { parseVariants, variantsVariable } from "../../src/gpu/variants.ts";
import { checkForcedVariants, variantRegistry } from "../../src/kernels/variant-registry.ts";
import { chooseVariant, type OperationVariants, runnableVariants } from "../../src/kernels/variants.ts";

const open = (variants: Readonly<Record<string, string>> = {}) => openGpu({ backend: "null", variants });
const bare = { backend: "null", exclude: ["subgroups", "shader-f16"], variants: {} } as const;
const operation: OperationVariants<"plain" | "quick" | "absent"> = {
  operation: "test",
  variants: ["plain", "quick", "absent"],
  equalBits: true,
  canRun: (_, variant) => variant !== "absent",
};
const weight = { rows: 3, cols: 5, dtype: "f32" } as const;

afterEach(() => {
  vi.unstubAllEnvs();
});

it("names are unique, and every baseline runs without features", async () => {
  using gpu = await openGpu(bare);
  const names = variantRegistry.map((of) => of.operation);
  expect(new Set(names).size).toBe(names.length);
  for (const of of variantRegistry) {
    expect(new Set(of.variants).size, of.operation).toBe(of.variants.length);
    expect(runnableVariants(gpu, of)[0], of.operation).toBe(of.variants[0]);
  }
});

it("forced beats tuned, tuned beats the default", async () => {
  using gpu = await open();
  expect(chooseVariant(gpu, operation, "plain", weight)).toBe("plain");
  gpu.variants.tuned = { hash: "", origin: "", entries: [], find: () => "quick" };
  expect(chooseVariant(gpu, operation, "plain", weight)).toBe("quick");
  using forcing = await open({ test: "plain" });
  forcing.variants.tuned = gpu.variants.tuned;
  expect(chooseVariant(forcing, operation, "quick", weight)).toBe("plain");
});

it("a variant is forced while something is recorded, and no longer, even where that fails", async () => {
  using gpu = await open({ test: "plain" });
  const { variants } = gpu;
  const choice = () => chooseVariant(gpu, operation, "plain");
  expect(variants.forcing("test", "quick", choice)).toBe("quick");
  expect(choice()).toBe("plain");
  expect(() => variants.forcing("test", "absent", choice)).toThrow(/can't run/);
  expect(variants.forcing("other", "x", () => variants.forced.get("other"))).toBe("x");
  expect([...variants.forced]).toEqual([["test", "plain"]]);
});

it("a tuned choice is asked for by weight, and by few rows only where all variants give equal bits", async () => {
  using gpu = await open();
  const asked: unknown[][] = [];
  const tuned = { hash: "", origin: "", entries: [], find: (...key: unknown[]) => void asked.push(key) };
  gpu.variants.tuned = tuned;
  chooseVariant(gpu, operation, "plain", weight, true);
  chooseVariant(gpu, { ...operation, equalBits: false }, "plain", weight, true);
  chooseVariant(gpu, operation, "plain");
  expect(asked).toEqual([
    ["test", 3, 5, "f32", true],
    ["test", 3, 5, "f32", false],
    ["test", 0, 0, "f32", false],
  ]);
});

it("a tuned variant that is unknown, or that this adapter can't run, is no choice", async () => {
  using gpu = await open();
  for (const name of ["absent", "unknown"]) {
    gpu.variants.tuned = { hash: "", origin: "", entries: [], find: () => name };
    expect(chooseVariant(gpu, operation, "plain", weight)).toBe("plain");
  }
});

it("a forced name that doesn't exist or can't run is refused, with what there is", async () => {
  const first = variantRegistry[0]?.operation ?? "";
  for (const [forced, message] of [
    [{ nothing: "tile" }, /no operation "nothing".*linear \(tile, /s],
    [{ [first]: "nothing" }, /linear has no variant "nothing"; there are: tile, /],
  ] as const) {
    using gpu = await open(forced);
    expect(() => checkForcedVariants(gpu)).toThrow(message);
  }
  using gpu = await openGpu({ ...bare, variants: { attention: "subgroups" } });
  expect(() => checkForcedVariants(gpu)).toThrow(/can't run attention=subgroups; it can run: portable/);
  using forcing = await open({ test: "absent" });
  expect(() => chooseVariant(forcing, operation, "plain")).toThrow(/can't run test=absent/);
});

it("the variable's text: pairs with commas; anything else is refused", () => {
  expect(Object.fromEntries(parseVariants(" linear=tile, attention=portable,", "X"))).toEqual({
    linear: "tile",
    attention: "portable",
  });
  expect(parseVariants("", "X").size).toBe(0);
  expect(() => parseVariants("linear", "X")).toThrow(/X: "linear" is no operation=variant/);
  expect(() => parseVariants("linear=a=b", "X")).toThrow(/is no operation=variant/);
  expect(() => parseVariants("linear=a,linear=b", "X")).toThrow(/linear is given twice/);
});

it("openGpu reads the variable where it isn't told", async () => {
  vi.stubEnv(variantsVariable, "linear=rows");
  using gpu = await openGpu({ backend: "null" });
  expect([...gpu.variants.forced]).toEqual([["linear", "rows"]]);
  using told = await open();
  expect(told.variants.forced.size).toBe(0);
  vi.stubEnv(variantsVariable, "linear");
  await expect(openGpu({ backend: "null" })).rejects.toThrow(InputError);
});
