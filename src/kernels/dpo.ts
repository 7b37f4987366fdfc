/**
 * @file DPO written from the paper (Rafailov et al. 2023, arXiv 2305.18290), in float32 on the device. Only `rmtrain
 * equiv` uses it, to compare with the loss that trains; the two share no code.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { dpoPairs as pairsKernel, dpoTable as tableKernel } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/**
 * Loss and gradient (eq. 7) of n pairs.
 * @param logProbs [n, 4] f32: of the policy's chosen and rejected reply, then the reference's
 * @returns [n, 4] f32: loss, d loss / d log π(y_w), d loss / d log π(y_l), margin
 */
export function dpoPairs(gpu: Gpu, logProbs: Tensor, beta: number): Tensor {
  expectShape("dpoPairs", logProbs, logProbs.rows, 4);
  const y = createTensor(gpu, logProbs.rows, 4, "dpo pairs", { capacity: logProbs.capacity });
  gpu.recorder.dispatch(pairsKernel, {
    bindings: [bind(gpu, logProbs), bind(gpu, y)],
    params: { pairs: logProbs.rows, beta },
    workgroups: workgroupsForItems(logProbs.rows),
    work: 60 * logProbs.rows,
  });
  return y;
}

/** A policy that is a table, and how often each response to a prompt was preferred to each other one. */
export interface DpoTable {
  /** [prompts, K] f32; π(k|x) is their softmax. */
  readonly logits: Tensor;
  /** [prompts, K] f32: log π_ref(k|x). */
  readonly logReference: Tensor;
  /** [prompts K, K] f32: weight of "i is preferred to j" in row x K + i, column j; the diagonal is not read. */
  readonly wins: Tensor;
  readonly beta: number;
  /** The weights' sum, by which the loss is divided. */
  readonly total: number;
}

/** into = d loss / d logits, [prompts, K] f32, of the expected DPO loss. */
export function dpoTableGradient(gpu: Gpu, table: DpoTable, into: Tensor): void {
  const { logits, logReference, wins, beta, total } = table;
  const { rows: prompts, cols: candidates, stride } = logits;
  expectShape("dpoTableGradient reference", logReference, prompts, candidates);
  expectShape("dpoTableGradient wins", wins, prompts * candidates, candidates);
  expectShape("dpoTableGradient into", into, prompts, candidates);
  gpu.recorder.dispatch(tableKernel, {
    bindings: [logits, logReference, wins, into].map((tensor) => bind(gpu, tensor)),
    params: { prompts, candidates, stride, beta, total },
    workgroups: workgroupsForItems(prompts),
    work: 120 * prompts * candidates ** 2,
  });
}

/** Every pipeline of this file, for building them ahead and for tests that compile all. */
export const dpoKernels: readonly KernelVariant[] = [
  { kernel: pairsKernel, variant: {} },
  { kernel: tableKernel, variant: {} },
];
