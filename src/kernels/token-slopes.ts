/**
 * @file Log-probabilities of tokens together with d logp / d hidden, where no weight of the vocabulary head learns. A
 * token's gradient is then that slope times one number, so the backward need not compute the logits again: two products
 * of the vocabulary's size in place of three. The mean of the words' weights is summed along with the log-sum-exp, as
 * attention sums its values.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { embedding } from "./embedding.ts";
import { scaleRows as scaleKernel, vocabularyPeaks, vocabularyShares } from "./generated/index.ts";
import { linearInputGradient } from "./linear-gradient.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";
import { addSums, createLogps, createSums, sumLanes, type TokenLogps } from "./vocabulary-sums.ts";
import { forEachTile, tokensOf, type VocabularyTile } from "./vocabulary-tiles.ts";

export interface TokenSlopes extends TokenLogps {
  /** [E, H] f32: d logp_e / d hidden_e = w_target - sum_v p_ev w_v */
  readonly slopes: Tensor;
}

/** Row by row, f32 [tokens, 1] each: the largest logit so far, and what sums that are relative to the last one are times. */
interface Peaks {
  readonly peaks: Tensor;
  readonly factors: Tensor;
}

/**
 * `tokenLogps` with the slopes; log-probabilities have its bits. Sums run over the words in order of the tiles.
 * @param hidden [E, H] f32 @param weight [V, H] f32, f16 or bf16; larger than a binding is fine
 * @param targets [E, 1] i32, each in [0, V)
 */
export function tokenSlopes(gpu: Gpu, hidden: Tensor, weight: Tensor, targets: Tensor): TokenSlopes {
  const { rows, capacity } = hidden;
  const results = createLogps(gpu, "tokenSlopes", hidden, weight, targets);
  const slopes = createTensor(gpu, rows, weight.cols, "slopes of log-probabilities", { capacity });
  using _scope = gpu.scope();
  const sums = createSums(gpu, hidden, weight);
  const column = (label: string) => createTensor(gpu, sums.rows, 1, label);
  const relative = { peaks: column("largest logits"), factors: column("factors of sums") };
  forEachTile(gpu, hidden, weight, (tile) => {
    addSums(gpu, tile, targets, sums, results);
    const own = tokensOf(gpu, slopes, tile);
    movePeaks(gpu, tile, sums, results.lse, relative, false);
    toShares(gpu, tile, relative.peaks);
    if (tile.word > 0) scaleRows(gpu, own, relative.factors);
    linearInputGradient(gpu, tile.logits, tile.weight, own, { overwrite: tile.word === 0 });
    if (!tile.last) return;
    movePeaks(gpu, tile, sums, results.lse, relative, true);
    scaleRows(gpu, own, relative.factors);
  });
  embedding(gpu, weight, targets, { into: slopes });
  return { ...results, slopes };
}

/** @param end whether the factors shall turn the sums of shares into minus the mean */
function movePeaks(
  gpu: Gpu,
  tile: VocabularyTile,
  sums: Tensor,
  lse: Tensor,
  { peaks, factors }: Peaks,
  end: boolean,
): void {
  gpu.recorder.dispatch(vocabularyPeaks, {
    bindings: [sums, tokensOf(gpu, lse, tile), peaks, factors].map((tensor) => bind(gpu, tensor)),
    params: { rows: tile.tokens, lanes: sumLanes, end: end ? 1 : 0 },
    workgroups: workgroupsForItems(tile.tokens),
    work: 8 * sumLanes * tile.tokens,
  });
}

function toShares(gpu: Gpu, { tokens, words, logits }: VocabularyTile, peaks: Tensor): void {
  const step = itemStep(gpu, tokens * logits.stride4);
  gpu.recorder.dispatch(vocabularyShares, {
    bindings: [bind(gpu, peaks), bind(gpu, logits)],
    params: { rows: tokens, words, stride4: logits.stride4, step },
    workgroups: workgroupsForItems(step),
    work: 10 * tokens * words,
  });
}

/**
 * y[t] *= factors[t], in place
 * @param y [T, H] f32 @param factors [at least T, 1] f32
 */
export function scaleRows(gpu: Gpu, y: Tensor, factors: Tensor): void {
  expectShape("scaleRows factors", factors, Math.max(factors.rows, y.rows), 1);
  const step = itemStep(gpu, y.rows * y.stride4);
  gpu.recorder.dispatch(scaleKernel, {
    bindings: [bind(gpu, factors), bind(gpu, y)],
    params: { rows: y.rows, cols: y.cols, stride4: y.stride4, step },
    workgroups: workgroupsForItems(step),
    work: y.rows * y.stride,
  });
}

/** Every pipeline of this file that no other has, for building them ahead and for tests that compile all. */
export const tokenSlopeKernels: readonly KernelVariant[] = [
  { kernel: vocabularyPeaks, variant: {} },
  { kernel: vocabularyShares, variant: {} },
  { kernel: scaleKernel, variant: {} },
];
