/**
 * @file The tuner: times an operation's variants for a weight's shape and chooses the fastest of those that give the
 * baseline's result. Nothing tunes by itself: `rmtrain tune` does, when it is asked to.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { variantKey } from "../../gpu/kernel-source.ts";
import { variantRegistry } from "../variant-registry.ts";
import { type OperationVariants, runnableVariants, type WeightShape } from "../variants.ts";
import { tuningCases } from "./cases.ts";
import { wrongVariants } from "./compare.ts";
import type { TuningEntry, TuningTarget } from "./table.ts";
import { timeInRounds } from "./time.ts";

export interface Tuned {
  readonly entry: TuningEntry;
  /** Median seconds of each, over the numbers of rows together; "default" is what runs where nothing is chosen. */
  readonly seconds: ReadonlyMap<string, number>;
  /** Variants that don't give the baseline's result on this adapter, and what is wrong with it. */
  readonly wrong: ReadonlyMap<string, string>;
}

export const defaultName = "default";
/** Rows of input that are timed: a choice for few rows holds from one on. */
const rowsOf = (gpu: Gpu, fewRows: boolean): readonly number[] =>
  fewRows ? [1, 8] : [gpu.facts.software ? 128 : 1024];
/** What another variant must save at least before it replaces the default: less may be chance. */
const margin = 0.05;

/**
 * @param gpu with no variant forced and no table of choices: what runs by default is one of the contestants
 * @returns undefined where the operation has no choice on this adapter
 */
export async function tune(gpu: Gpu, target: TuningTarget): Promise<Tuned | undefined> {
  const of = variantRegistry.find(({ operation }) => operation === target.operation);
  const prepare = tuningCases[target.operation];
  if (of === undefined || prepare === undefined || runnableVariants(gpu, of).length < 2) return undefined;
  const seconds = new Map<string, number>();
  const wrong = new Map<string, string>();
  /** Of each contestant, in units of the fastest: a single row counts as much as eight. */
  const costs = new Map<string, number>();
  for (const rows of rowsOf(gpu, target.fewRows)) {
    using _inputs = gpu.scope();
    const record = prepare(gpu, target as WeightShape, rows);
    const found = await contest(gpu, of, record);
    const fastest = Math.min(...found.seconds.values());
    for (const [name, value] of found.seconds) {
      seconds.set(name, (seconds.get(name) ?? 0) + value);
      costs.set(name, (costs.get(name) ?? 0) + value / fastest);
    }
    for (const [name, problem] of found.wrong) wrong.set(name, problem);
  }
  for (const name of wrong.keys()) costs.delete(name);
  return { entry: { ...target, variant: winner(costs) }, seconds, wrong };
}

/** null: the default, unless it is not among them. */
function winner(costs: ReadonlyMap<string, number>): string | null {
  const standard = (costs.get(defaultName) ?? Number.POSITIVE_INFINITY) * (1 - margin);
  const others = [...costs].filter(([name, cost]) => name !== defaultName && cost < standard);
  const [best] = others.sort(([, a], [, b]) => a - b);
  return best?.[0] ?? null;
}

/** Compares and times the variants and the default, which is wrong where the variant that it stands for is. */
async function contest<V extends string>(
  gpu: Gpu,
  of: OperationVariants<V>,
  record: ReturnType<(typeof tuningCases)[string]>,
) {
  const wrong: Map<string, string> = await wrongVariants(gpu, of, record);
  const records = new Map<string, () => unknown>([[defaultName, record]]);
  const standard = pipelines(gpu, record);
  const alike: string[] = [];
  for (const variant of runnableVariants(gpu, of)) {
    const forced = () => gpu.variants.forcing(of.operation, variant, record);
    if (pipelines(gpu, forced) === standard) alike.push(variant);
    else records.set(variant, forced);
  }
  const seconds = await timeInRounds(gpu, records);
  for (const variant of alike) {
    seconds.set(variant, seconds.get(defaultName) ?? Number.NaN);
    const problem = wrong.get(variant);
    if (problem !== undefined) wrong.set(defaultName, problem);
  }
  return { seconds, wrong };
}

/** What `record` would dispatch, in words. */
function pipelines(gpu: Gpu, record: () => unknown): string {
  const used = gpu.recorder.collect(() => {
    using _ = gpu.scope();
    record();
  });
  return used.map(({ kernel, variant }) => variantKey(kernel, variant)).join("; ");
}
