/** @file Whether variants give the baseline's result: its bits, or where an operation doesn't promise that, nearly it. */
import type { Gpu } from "../../gpu/gpu.ts";
import { readTensor, type Tensor } from "../../tensor/tensor.ts";
import { type OperationVariants, runnableVariants } from "../variants.ts";

/** Relative error between two kernels that are each within 1e-5 of the exact result. */
const errorBound = 2e-5;

/**
 * @param record records the operation, in whatever variant is chosen
 * @returns the variants of this adapter that give another result than the baseline, and what is wrong with it
 */
export async function wrongVariants<V extends string>(
  gpu: Gpu,
  of: OperationVariants<V>,
  record: () => Tensor,
): Promise<Map<V, string>> {
  const wrong = new Map<V, string>();
  const [baseline, ...others] = runnableVariants(gpu, of);
  if (baseline === undefined) return wrong;
  const expected = await resultOf(gpu, of.operation, baseline, record);
  for (const variant of others) {
    const found = await resultOf(gpu, of.operation, variant, record);
    const problem = of.equalBits ? differentBits(found, expected) : tooFar(found, expected);
    if (problem !== undefined) wrong.set(variant, problem);
  }
  return wrong;
}

async function resultOf(gpu: Gpu, operation: string, variant: string, record: () => Tensor) {
  using _ = gpu.scope();
  return readTensor(gpu, gpu.variants.forcing(operation, variant, record));
}

function differentBits(found: Float32Array, expected: Float32Array): string | undefined {
  const [a, b] = [found, expected].map(({ buffer, length }) => new Uint32Array(buffer, 0, length));
  const count = a?.reduce((sum, bits, i) => sum + (bits === b?.[i] ? 0 : 1), 0);
  return count === 0 ? undefined : `${count} of ${found.length} values differ from the baseline's`;
}

function tooFar(found: Float32Array, expected: Float32Array): string | undefined {
  let difference = 0;
  let norm = 0;
  for (const [i, value] of expected.entries()) {
    difference += ((found[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  }
  const error = Math.sqrt(difference / norm);
  return error <= errorBound ? undefined : `its relative error is ${error.toExponential(1)}`;
}
