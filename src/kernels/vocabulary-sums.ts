/** @file The log-sum-exp of each token's logits over a vocabulary, from tile to tile of its words. */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { vocabularyLogps, vocabularySums } from "./generated/index.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";
import { tileSize, tokensOf, type VocabularyTile } from "./vocabulary-tiles.ts";

/** Lanes that share a row, each with a vec4 of running sums: wgsl/lib/vocabulary_sums.wgsl. */
export const sumLanes = 16;
const rowsPerWorkgroup = 64 / sumLanes;

export interface TokenLogps {
  /** [E, 1] f32: log softmax(hidden_e W^T)[target_e] */
  readonly logps: Tensor;
  /** [E, 1] f32: log sum_v exp(hidden_e . w_v), which the backward needs */
  readonly lse: Tensor;
}

/** Room for the results of `name`. @param hidden [E, H] f32 @param weight [V, H] @param targets [E, 1] i32 */
export function createLogps(
  gpu: Gpu,
  name: string,
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
): TokenLogps {
  const { rows, capacity } = hidden;
  expectShape(`${name} hidden`, hidden, rows, weight.cols);
  expectShape(`${name} targets`, targets, rows, 1, "i32");
  return {
    logps: createTensor(gpu, rows, 1, "token log-probabilities", { capacity }),
    lse: createTensor(gpu, rows, 1, "log-sum-exp of the vocabulary", { capacity }),
  };
}

/** The running sums of one tile's tokens. */
export function createSums(gpu: Gpu, hidden: Tensor, weight: Tensor): Tensor {
  const room = tileSize(gpu, hidden.capacity, weight).tokens;
  return createTensor(gpu, room, 4 * sumLanes, "running sums of the vocabulary");
}

/** Adds a tile to the sums; after the last words its tokens' results are complete. */
export function addSums(
  gpu: Gpu,
  tile: VocabularyTile,
  targets: Tensor,
  sums: Tensor,
  { logps, lse }: TokenLogps,
): void {
  const { tokens, word, words, last, logits } = tile;
  gpu.recorder.dispatch(vocabularySums, {
    bindings: [bind(gpu, logits), bind(gpu, tokensOf(gpu, targets, tile)), bind(gpu, sums)],
    params: { rows: tokens, words, first: word, stride4: logits.stride4, begin: word === 0 ? 1 : 0 },
    workgroups: ceilDiv(tokens, rowsPerWorkgroup),
    work: 10 * tokens * words,
  });
  if (!last) return;
  gpu.recorder.dispatch(vocabularyLogps, {
    bindings: [bind(gpu, sums), bind(gpu, tokensOf(gpu, logps, tile)), bind(gpu, tokensOf(gpu, lse, tile))],
    params: { rows: tokens, lanes: sumLanes },
    workgroups: workgroupsForItems(tokens),
    work: 20 * sumLanes * tokens,
  });
}

export const vocabularySumKernels: readonly KernelVariant[] = [
  { kernel: vocabularySums, variant: {} },
  { kernel: vocabularyLogps, variant: {} },
];
