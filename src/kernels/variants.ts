/**
 * @file Operations with several kernels, and which of them runs: the forced one, else the tuned one, else the default.
 *
 * The choice is a function of the weight's shape, its dtype, the adapter and, only where all variants give equal bits,
 * of "few rows or many": so no result depends on what else is in a batch. variant-registry.ts lists all operations.
 */
import { InputError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Dtype } from "../tensor/tensor.ts";

export interface OperationVariants<V extends string> {
  /** What users and tables call it. */
  readonly operation: string;
  /** The baseline first: it runs at WebGPU's default limits and without optional features. */
  readonly variants: readonly V[];
  /** All variants give equal bits; else they agree within the error bound of a kernel. */
  readonly equalBits: boolean;
  /** Whether the adapter has what the variant needs. */
  canRun(gpu: Gpu, variant: V): boolean;
}

/** What a tuned choice depends on; a tensor is one. */
export interface WeightShape {
  readonly rows: number;
  readonly cols: number;
  readonly dtype: Dtype;
}

/** Tuned choices tell up to so many rows of input from more. */
export const fewInputRows = 16;

/**
 * Numbers of rows that together take every variant that batches may take, up to each and above the one before: for building
 * pipelines ahead. (Above 32, GPUs have tiles in workgroup memory: `prefersShared`.)
 */
export const rowsOfEveryChoice: readonly number[] = [1, 8, fewInputRows, 32, 33];

/**
 * The variant that runs. In the steady state no object is made.
 * @param byDefault what runs where nothing is forced or tuned; the adapter must be able to
 * @param weight default: the choice depends on the adapter alone
 * @throws InputError where a forced variant does not exist or the adapter can't run it
 */
export function chooseVariant<V extends string>(
  gpu: Gpu,
  of: OperationVariants<V>,
  byDefault: V,
  weight: WeightShape = anyWeight,
  fewRows = false,
): V {
  const forced = gpu.variants.forced.get(of.operation);
  if (forced !== undefined) return expectVariant(gpu, of, forced);
  const tuned = gpu.variants.tuned?.find(
    of.operation,
    weight.rows,
    weight.cols,
    weight.dtype,
    fewRows && of.equalBits,
  );
  return tuned !== undefined && isVariant(of, tuned) && of.canRun(gpu, tuned) ? tuned : byDefault;
}

/** Stands for a choice that depends on the adapter alone. */
export const anyWeight: WeightShape = { rows: 0, cols: 0, dtype: "f32" };

/** The variants that this adapter can run, the baseline first. */
export function runnableVariants<V extends string>(gpu: Gpu, of: OperationVariants<V>): V[] {
  return of.variants.filter((variant) => of.canRun(gpu, variant));
}

export function isVariant<V extends string>(of: OperationVariants<V>, name: string): name is V {
  const names: readonly string[] = of.variants;
  return names.includes(name);
}

/** @throws InputError listing what there is */
export function expectVariant<V extends string>(gpu: Gpu, of: OperationVariants<V>, name: string): V {
  if (!isVariant(of, name))
    throw new InputError(`${of.operation} has no variant "${name}"; there are: ${of.variants.join(", ")}`);
  if (!of.canRun(gpu, name)) {
    throw new InputError(
      `This adapter can't run ${of.operation}=${name}; it can run: ${runnableVariants(gpu, of).join(", ")}`,
    );
  }
  return name;
}

/** Subgroups of at least eight lanes, which every kernel that shares by subgroups counts on. */
export const hasSubgroups = (gpu: Gpu): boolean => gpu.facts.subgroupMin >= 8;
