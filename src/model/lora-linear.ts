/**
 * @file A low-rank update of a linear layer (Hu et al. 2021, arXiv 2106.09685, eq. 3) as two skinny products beside it,
 * never as a changed weight: y[:, first ..] += scale * dropout(x) A^T B^T.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { addColumns, columns } from "../kernels/columns.ts";
import { type DropoutOptions, dropout } from "../kernels/dropout.ts";
import { linear } from "../kernels/linear.ts";
import { linearInputGradient, linearWeightGradient } from "../kernels/linear-gradient.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoraPart } from "./weights.ts";

/** The step's part of the random stream's key: the same in forward and backward, whatever the batch is packed like. */
export type LoraDropout = Pick<DropoutOptions, "seed" | "step" | "keys">;

export const loraTensors = (parts: readonly LoraPart[]): Tensor[] => parts.flatMap(({ a, b }) => [a, b]);

/** y[:, first ..] += scale * dropout(x) A^T B^T. @param x [T, in] @param y [T, out] */
export function addLora(gpu: Gpu, x: Tensor, part: LoraPart, y: Tensor, key: LoraDropout | undefined): void {
  using _scope = gpu.scope();
  const low = linear(gpu, dropped(gpu, x, part, key), part.a);
  addColumns(gpu, linear(gpu, low, part.b), y, part);
}

/**
 * Adds the gradients of A and B, and the update's to that of x, which the layer's own weight has begun.
 * @param dy [T, out]
 */
export function loraBackward(
  tape: Tape,
  x: Tensor,
  part: LoraPart,
  dy: Tensor,
  key: LoraDropout | undefined,
): void {
  const { gpu } = tape;
  using _scope = gpu.scope();
  const { a, b, first, scale } = part;
  const [intoA, intoB] = [tape.parameter(a), tape.parameter(b)];
  const out = columns(gpu, dy, { first, count: b.rows, scale });
  if (intoB !== undefined) {
    const low = linear(gpu, dropped(gpu, x, part, key), a);
    linearWeightGradient(gpu, out, low, intoB, true);
  }
  const dLow = linearInputGradient(gpu, out, b);
  if (intoA !== undefined) linearWeightGradient(gpu, dLow, dropped(gpu, x, part, key), intoA, true);
  tape.give(x, (dx) => {
    if (dx === undefined) throw new Error(`The gradient of ${x.label} begins with the layer's own weight`);
    const mask = maskOf(part, key);
    if (mask === undefined) return linearInputGradient(gpu, dLow, a, dx);
    return dropout(gpu, linearInputGradient(gpu, dLow, a), mask, dx);
  });
}

function dropped(gpu: Gpu, x: Tensor, part: LoraPart, key: LoraDropout | undefined): Tensor {
  const mask = maskOf(part, key);
  return mask === undefined ? x : dropout(gpu, x, mask);
}

function maskOf(part: LoraPart, key: LoraDropout | undefined): DropoutOptions | undefined {
  return part.dropout === undefined || key === undefined ? undefined : { ...part.dropout, ...key };
}
