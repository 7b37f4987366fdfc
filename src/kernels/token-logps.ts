/**
 * @file Log-probabilities of tokens under a causal LM's vocabulary head, and their backward. The [E, V] logits never
 * exist: tiles of them are computed, folded into a running log-sum-exp and overwritten; the backward computes them again
 * (token-slopes.ts: where the vocabulary is frozen, it need not).
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { vocabularyGradient } from "./generated/index.ts";
import { itemStep, workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";
import {
  addSums,
  createLogps,
  createSums,
  type TokenLogps,
  vocabularySumKernels,
} from "./vocabulary-sums.ts";
import { addTileGradients, forEachTile, tokensOf, type VocabularyUpdate } from "./vocabulary-tiles.ts";

/**
 * A row's results do not depend on the other rows, bit for bit.
 * @param hidden [E, H] f32: the hidden state that predicts each token
 * @param weight [V, H] f32, f16 or bf16; larger than a binding is fine
 * @param targets [E, 1] i32, each in [0, V)
 * @param update added to the weight: logits are hidden W^T + low B^T
 */
export function tokenLogps(
  gpu: Gpu,
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  update?: VocabularyUpdate,
): TokenLogps {
  const results = createLogps(gpu, "tokenLogps", hidden, weight, targets);
  expectUpdate("tokenLogps", update, hidden.rows, weight.rows);
  using _scope = gpu.scope();
  const sums = createSums(gpu, hidden, weight);
  forEachTile(gpu, hidden, weight, (tile) => addSums(gpu, tile, targets, sums, results), { update });
  return results;
}

function expectUpdate(name: string, update: VocabularyUpdate | undefined, rows: number, vocabulary: number) {
  if (update === undefined) return;
  expectShape(`${name} low`, update.low, rows, update.b.cols);
  expectShape(`${name} B`, update.b, vocabulary, update.b.cols);
}

/** What a forward pass took and gave, and the gradient of its loss. */
export interface TokenLogpsGradient {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  readonly targets: Tensor;
  readonly lse: Tensor;
  /** [E, 1] f32: d loss / d logps */
  readonly gradient: Tensor;
  readonly update?: VocabularyUpdate | undefined;
}

/** Which gradients are asked for. */
export interface TokenLogpsInto {
  /** "new": a tensor for d loss / d hidden; a tensor [E, H] f32: is added to. Default: none. */
  readonly hidden?: "new" | Tensor;
  /** [V, H] f32: d loss / d weight is added to it; larger than a binding is fine. Default: none. */
  readonly weight?: Tensor | undefined;
  /** Of the update: low [E, r] f32 is written, B [V, r] f32 is added to. Default: none. */
  readonly update?: { readonly low: Tensor; readonly b: Tensor | undefined } | undefined;
}

/**
 * dhidden_e = g_e (w_target - sum_v p_ev w_v); dW_v = sum_e g_e (1[v = target] - p_ev) h_e, p = exp(logit - lse). Sums
 * run over the words in order of the tiles, and over tokens in fixed chunks.
 * @returns d loss / d hidden [E, H] f32, where it was asked for
 */
export function tokenLogpsBackward(
  gpu: Gpu,
  saved: TokenLogpsGradient,
  into: TokenLogpsInto,
): Tensor | undefined {
  const { hidden, weight, targets, lse, gradient, update } = saved;
  const { rows, capacity } = hidden;
  expectShape("tokenLogpsBackward hidden", hidden, rows, weight.cols);
  expectShape("tokenLogpsBackward targets", targets, rows, 1, "i32");
  expectShape("tokenLogpsBackward lse", lse, rows, 1);
  expectShape("tokenLogpsBackward gradient", gradient, rows, 1);
  const fresh = into.hidden === "new";
  const dHidden =
    into.hidden === "new" ? createTensor(gpu, rows, weight.cols, "d hidden", { capacity }) : into.hidden;
  const dWeight = into.weight;
  if (dHidden !== undefined) expectShape("tokenLogpsBackward dhidden", dHidden, rows, weight.cols);
  if (dWeight !== undefined) expectShape("tokenLogpsBackward dweight", dWeight, weight.rows, weight.cols);
  const dUpdate = into.update;
  if (update !== undefined && dUpdate !== undefined)
    expectUpdate("tokenLogpsBackward d", { low: dUpdate.low, b: dUpdate.b ?? update.b }, rows, weight.rows);
  if (dHidden === undefined && dWeight === undefined && dUpdate === undefined) return undefined;
  forEachTile(
    gpu,
    hidden,
    weight,
    (tile) => {
      const { tokens, words, word, logits } = tile;
      const step = itemStep(gpu, tokens * logits.stride4);
      gpu.recorder.dispatch(vocabularyGradient, {
        bindings: [
          ...[targets, lse, gradient].map((t) => bind(gpu, tokensOf(gpu, t, tile))),
          bind(gpu, logits),
        ],
        params: { rows: tokens, words, first: word, stride4: logits.stride4, step },
        workgroups: workgroupsForItems(step),
        work: 10 * tokens * words,
      });
      addTileGradients(gpu, tile, dHidden, dWeight, fresh);
      if (dUpdate !== undefined && tile.update !== undefined) {
        // The update's tile is one of `low` for states and of B for the weight.
        const own = { ...tile, hidden: tile.update.low, weight: tile.update.b };
        addTileGradients(gpu, own, dUpdate.low, dUpdate.b, true);
      }
    },
    { update },
  );
  return dHidden;
}

/** Every pipeline of this file that no other has, for building them ahead and for tests that compile all. */
export const tokenLogpsKernels: readonly KernelVariant[] = [
  ...vocabularySumKernels,
  { kernel: vocabularyGradient, variant: {} },
];
