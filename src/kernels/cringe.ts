/**
 * @file The CRINGE penalty of tokens that should not have been written (Adolphs et al. 2022, arXiv 2211.05826, eq. 3 and
 * 4): each is held against a word drawn from the model's own best k, so that what takes its place is likely too.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import type { Binding } from "../gpu/recorder.ts";
import { bind, createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { cringeInputGradient, cringeSample, cringeWeightGradient, topWords } from "./generated/index.ts";
import { philox4x32 } from "./philox.ts";
import { storageTypes } from "./products.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";
import type { TokenLogpsInto } from "./token-logps.ts";
import { addSums, createLogps, createSums, type TokenLogps } from "./vocabulary-sums.ts";
import { forEachTile, tileSize, tokensOf } from "./vocabulary-tiles.ts";

/** Lanes that share a row, each with a list of its own: wgsl/top_words.wgsl. */
const lanes = 16;
const rounds = 10;
/** Invocations that share a column of the weight's gradient; a CPU adapter has few that run at once. */
const parts = { software: 2, hardware: 64 } as const;
/** Of the series of log(1 + e), e at most 1: s is at most 1/3, and s^17 / 17 below the last bit. */
const terms = 8;
/** Key of this use of Philox on the host ("word" in ASCII), so that its words have nothing in common with others'. */
const purpose = [0x776f7264, 0] as const;

/** Most words that one is drawn from. */
export const mostTopWords = 64;

export interface CringeOptions {
  /** From how many words of largest logits one is drawn. */
  readonly k: number;
  /** A safe integer, at least 0. */
  readonly seed: number;
  /** The optimiser's step, so that each has another draw. */
  readonly step: number;
  /** [E, 4] i32: a key for each token, the fourth word unused; see `pathKeys` in dropout.ts. */
  readonly keys: Tensor;
}

export interface CringePenalties extends TokenLogps {
  /** [E, 1] f32: softplus(s - s*), s the token's logit and s* that of the word drawn */
  readonly penalties: Tensor;
  /** [E, 4] of 32-bit words: bits of d penalty / d s, the word drawn, 0, 0. */
  readonly drawn: Tensor;
}

/**
 * A token's results do not depend on the other tokens. Log-probabilities, which it needs, have the bits of `tokenLogps`.
 * @param hidden [E, H] f32 @param weight [V, H] f32, f16 or bf16 @param targets [E, 1] i32: the tokens
 */
export function cringePenalties(
  gpu: Gpu,
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: CringeOptions,
): CringePenalties {
  const { rows, capacity } = hidden;
  const { k, seed, step, keys } = options;
  if (!Number.isInteger(k) || k < 1 || k > mostTopWords)
    throw new RangeError(`cringe: k from 1 to ${mostTopWords} is needed, not ${k}`);
  const of = createLogps(gpu, "cringePenalties", hidden, weight, targets);
  expectShape("cringePenalties keys", keys, rows, 4, "i32");
  const penalties = createTensor(gpu, rows, 1, "cringe penalties", { capacity });
  const drawn = createTensor(gpu, rows, 4, "words drawn", { capacity });
  if (rows === 0) return { ...of, penalties, drawn };
  const [key0, key1] = philox4x32([seed >>> 0, Math.floor(seed / 2 ** 32), step, 0], purpose);
  // One more, since the token itself may be among them.
  const keep = k + 1;
  using _scope = gpu.scope();
  const room = tileSize(gpu, capacity, weight).tokens;
  const sums = createSums(gpu, hidden, weight);
  const lists = createTensor(gpu, room, 2 * lanes * keep, "lists of words");
  forEachTile(gpu, hidden, weight, (tile) => {
    const { tokens, word, words, last, logits } = tile;
    addSums(gpu, tile, targets, sums, of);
    gpu.recorder.dispatch(topWords, {
      bindings: [bind(gpu, logits), bind(gpu, lists)],
      params: { rows: tokens, words, first: word, stride4: logits.stride4, keep, begin: word === 0 ? 1 : 0 },
      workgroups: ceilDiv(tokens, 64 / lanes),
      work: 4 * tokens * words,
    });
    if (!last) return;
    const parts = [targets, of.logps, of.lse, keys, penalties, drawn].map((t) => tokensOf(gpu, t, tile));
    gpu.recorder.dispatch(cringeSample, {
      bindings: [lists, ...parts].map((tensor) => bind(gpu, tensor)),
      params: { rows: tokens, keep, key0, key1, rounds, lanes, terms },
      workgroups: workgroupsForItems(tokens),
      work: 20 * lanes * keep * keep * tokens,
    });
  });
  return { ...of, penalties, drawn };
}

/** What a forward pass took and gave, and the gradient of its loss. */
export interface CringeGradient {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  readonly targets: Tensor;
  readonly drawn: Tensor;
  /** [E, 1] f32: d loss / d penalties */
  readonly gradient: Tensor;
}

/**
 * dhidden_e = c_e (w_token - w_drawn); dW_token += c_e h_e, dW_drawn -= c_e h_e; c = d loss / d penalty * slope.
 * @returns d loss / d hidden [E, H] f32, where it was asked for
 */
export function cringeBackward(gpu: Gpu, saved: CringeGradient, into: TokenLogpsInto): Tensor | undefined {
  const { hidden, weight, targets, drawn, gradient } = saved;
  const { rows, capacity } = hidden;
  expectShape("cringeBackward gradient", gradient, rows, 1);
  expectShape("cringeBackward drawn", drawn, rows, 4);
  const fresh = into.hidden === "new";
  const dHidden =
    into.hidden === "new" ? createTensor(gpu, rows, weight.cols, "d hidden", { capacity }) : into.hidden;
  const perToken = [targets, drawn, gradient].map((tensor) => bind(gpu, tensor));
  if (dHidden !== undefined) {
    expectShape("cringeBackward dhidden", dHidden, rows, weight.cols);
    for (const { first, rows: count, binding } of rowWindows(gpu, weight)) {
      gpu.recorder.dispatch(cringeInputGradient, {
        variant: { headers: { weight: weight.dtype } },
        bindings: [...perToken, binding, bind(gpu, dHidden)],
        params: {
          rows,
          cols: weight.cols,
          stride4: dHidden.stride4,
          w_stride4: weight.stride4,
          first,
          count,
          accumulate: fresh && first === 0 ? 0 : 1,
        },
        workgroups: workgroupsForItems(rows * dHidden.stride4),
        work: 4 * rows * dHidden.stride,
      });
    }
  }
  if (into.weight !== undefined) addWeightGradient(gpu, hidden, into.weight, perToken);
  return dHidden;
}

function addWeightGradient(gpu: Gpu, hidden: Tensor, dWeight: Tensor, perToken: readonly Binding[]): void {
  expectShape("cringeBackward dweight", dWeight, dWeight.rows, hidden.cols);
  const { rows, cols, stride4 } = hidden;
  const columnParts = gpu.facts.software ? parts.software : parts.hardware;
  for (const { first, rows: count, binding } of rowWindows(gpu, dWeight)) {
    gpu.recorder.dispatch(cringeWeightGradient, {
      bindings: [...perToken, bind(gpu, hidden), binding],
      params: { rows, cols, stride4, first, count, parts: columnParts },
      workgroups: workgroupsForItems(columnParts * stride4),
      work: 4 * rows * hidden.stride,
    });
  }
}

/** Every pipeline of this file that no other has, for building them ahead and for tests that compile all. */
export const cringeKernels: readonly KernelVariant[] = [
  { kernel: topWords, variant: {} },
  { kernel: cringeSample, variant: {} },
  ...storageTypes.map((weight) => ({ kernel: cringeInputGradient, variant: { headers: { weight } } })),
  { kernel: cringeWeightGradient, variant: {} },
];
