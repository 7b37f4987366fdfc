/** @file What `rmtrain bench` measures: each operation at the shapes of models, with the arithmetic and the memory it can't do without. */
import type { Gpu } from "../../gpu/gpu.ts";
import { adapterCases } from "./adapter-cases.ts";
import { attentionCases } from "./attention-cases.ts";
import { linearCases } from "./linear-cases.ts";
import { lossCases } from "./loss-cases.ts";
import { type BenchModel, type BenchSize, usualModels, usualTokens } from "./models.ts";
import { parameterCases } from "./parameter-cases.ts";
import { precisionCases } from "./precision-cases.ts";
import { rowCases } from "./row-cases.ts";
import { rowGradientCases } from "./row-gradient-cases.ts";
import { perVariant } from "./variant-cases.ts";
import { vocabularyCases } from "./vocabulary-cases.ts";

export interface BenchCase {
  /**
   * The kernel, or the operation where the registry of variants has it, and what tells its cases apart. `benchCases`
   * makes operation=variant of that.
   */
  readonly name: string;
  /** No two cases of one name have the same shape. */
  readonly shape: string;
  /** Floating-point operations; a multiply-add counts as two, a transcendental function as one. */
  readonly flops: number;
  /** Bytes of all inputs, each read once, and of all outputs. */
  readonly bytes: number;
  /** Uploads inputs into the current scope; returns what is measured, to be called within a scope of its own. */
  readonly prepare: (gpu: Gpu) => Recording;
}

/** Records the case's work. Where that forces a variant, `unforced` records the same with what runs otherwise. */
export interface Recording {
  (): void;
  readonly unforced?: () => void;
}

/** Every case, each name's ones together. */
export function benchCases(
  gpu: Gpu,
  models: readonly BenchModel[] = usualModels,
  tokens: readonly number[] = usualTokens,
): readonly BenchCase[] {
  const sizes = models.flatMap((model) => tokens.map((count): BenchSize => ({ ...model, tokens: count })));
  const cases = [
    ...sizes.flatMap(linearCases),
    ...sizes.flatMap(attentionCases),
    ...sizes.flatMap(rowCases),
    ...sizes.flatMap(rowGradientCases),
    ...sizes.flatMap(adapterCases),
    ...sizes.flatMap(precisionCases),
    ...sizes.flatMap(vocabularyCases),
    ...models.flatMap(parameterCases),
    ...lossCases(),
  ].flatMap((benchCase) => perVariant(gpu, benchCase));
  const byName = new Map<string, Map<string, BenchCase>>();
  for (const benchCase of cases) {
    const shapes = byName.get(benchCase.name) ?? new Map<string, BenchCase>();
    byName.set(benchCase.name, shapes.set(benchCase.shape, benchCase));
  }
  return [...byName.values()].flatMap((shapes) => [...shapes.values()]);
}
