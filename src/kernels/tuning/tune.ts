/**
 * @file The tuner: times an operation's variants for a weight's shape and chooses the fastest of those that give the
 * baseline's result. Nothing tunes by itself: `rmtrain tune` does, when it is asked to.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { variantKey } from "../../gpu/kernel-source.ts";
import { median, quantile } from "../bench/statistics.ts";
import { variantRegistry } from "../variant-registry.ts";
import { type OperationVariants, runnableVariants, type WeightShape } from "../variants.ts";
import { type TuningCase, tuningCases } from "./cases.ts";
import { wrongVariants } from "./compare.ts";
import type { TuningEntry, TuningTarget } from "./table.ts";
import { timeInRounds } from "./time.ts";

export interface Tuned {
  readonly entry: TuningEntry;
  /** What each costs beside what runs by default, which is "default" here. */
  readonly costs: ReadonlyMap<string, Cost>;
  /** Variants that don't give the baseline's result on this adapter, and what is wrong with it. */
  readonly wrong: ReadonlyMap<string, string>;
}

/** Of the times in a round, as a share of the default's in that round; means over the numbers of rows. */
export interface Cost {
  readonly median: number;
  readonly upperQuartile: number;
}

export const defaultName = "default";
/** Rows of input that are timed: a choice for few rows holds from one on. */
const rowsOf = (gpu: Gpu, fewRows: boolean): readonly number[] =>
  fewRows ? [1, 8] : [gpu.facts.software ? 128 : 1024];
/** What another variant must save at least before it replaces the default. */
const margin = 0.05;

/**
 * @param gpu with no variant forced and no table of choices: what runs by default is one of the contestants
 * @returns undefined where the operation has no choice on this adapter
 */
export async function tune(gpu: Gpu, target: TuningTarget): Promise<Tuned | undefined> {
  const of = variantRegistry.find(({ operation }) => operation === target.operation);
  const prepare = tuningCases[target.operation];
  if (of === undefined || prepare === undefined) return undefined;
  const variants = runnableVariants(gpu, of);
  if (variants.length < 2) return undefined;
  const setting = { gpu, of, sizes: rowsOf(gpu, target.fewRows), prepare, weight: target as WeightShape };
  const wrong = await findWrong(setting, variants);
  const costs = await findCosts(
    setting,
    variants.filter((variant) => !wrong.has(variant)),
  );
  const best = winner(costs, wrong);
  // Once more against the default alone: among many shapes, some win by chance.
  const again = best === null ? costs : await findCosts(setting, [best]);
  return { entry: { ...target, variant: winner(again, wrong) }, costs, wrong };
}

/** null: the default, which stays unless it is wrong, or something else was faster in nearly every round. */
export function winner(costs: ReadonlyMap<string, Cost>, wrong: ReadonlyMap<string, string>): string | null {
  const others = [...costs].filter(([name]) => name !== defaultName);
  const better = ([, cost]: readonly [string, Cost]) => cost.median < 1 - margin && cost.upperQuartile < 1;
  const [best] = (wrong.has(defaultName) ? others : others.filter(better)).sort(
    ([, a], [, b]) => a.median - b.median,
  );
  return best?.[0] ?? null;
}

interface Setting {
  readonly gpu: Gpu;
  readonly of: OperationVariants<string>;
  readonly sizes: readonly number[];
  readonly prepare: TuningCase;
  readonly weight: WeightShape;
}

/** The default is wrong where a variant that it stands for is. */
async function findWrong(
  { gpu, of, sizes, prepare, weight }: Setting,
  variants: readonly string[],
): Promise<Map<string, string>> {
  const wrong = new Map<string, string>();
  for (const rows of sizes) {
    using _inputs = gpu.scope();
    const record = prepare(gpu, weight, rows);
    for (const [name, problem] of await wrongVariants(gpu, of, record)) wrong.set(name, problem);
    for (const variant of variants) {
      const problem = wrong.get(variant);
      if (problem !== undefined && isDefault(gpu, of, variant, record)) wrong.set(defaultName, problem);
    }
  }
  return wrong;
}

async function findCosts(
  { gpu, of, sizes, prepare, weight }: Setting,
  variants: readonly string[],
): Promise<Map<string, Cost>> {
  const costs = new Map<string, Cost>();
  for (const rows of sizes) {
    using _inputs = gpu.scope();
    const record = prepare(gpu, weight, rows);
    const records = new Map<string, () => unknown>([[defaultName, record]]);
    for (const variant of variants) {
      const forced = () => gpu.variants.forcing(of.operation, variant, record);
      if (!isDefault(gpu, of, variant, record)) records.set(variant, forced);
    }
    const seconds = await timeInRounds(gpu, records);
    const standard = seconds.get(defaultName) ?? [];
    for (const name of [defaultName, ...variants]) {
      const shares = (seconds.get(name) ?? standard).map((value, i) => value / (standard[i] ?? Number.NaN));
      const before = costs.get(name) ?? { median: 0, upperQuartile: 0 };
      costs.set(name, {
        median: before.median + median(shares) / sizes.length,
        upperQuartile: before.upperQuartile + quantile(shares, 0.75) / sizes.length,
      });
    }
  }
  return costs;
}

/** Whether the variant is what runs by default for these inputs. */
function isDefault(gpu: Gpu, of: OperationVariants<string>, variant: string, record: () => unknown): boolean {
  const forced = () => gpu.variants.forcing(of.operation, variant, record);
  return pipelines(gpu, forced) === pipelines(gpu, record);
}

/** What `record` would dispatch, in words. */
function pipelines(gpu: Gpu, record: () => unknown): string {
  const used = gpu.recorder.collect(() => {
    using _ = gpu.scope();
    record();
  });
  return used.map(({ kernel, variant }) => variantKey(kernel, variant)).join("; ");
}
