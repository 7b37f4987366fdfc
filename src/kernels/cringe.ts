/**
 * @file The CRINGE penalty of tokens that should not have been written (Adolphs et al. 2022, arXiv 2211.05826, eq. 3 and
 * 4): each is held against a word drawn from the model's own best k, so that what takes its place is likely too.
 */
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, createTensor, type Tensor } from "../tensor/tensor.ts";
import { cringeSample, cringeGradient as gradientKernel, topWords } from "./generated/index.ts";
import { philox4x32 } from "./philox.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { ceilDiv, expectShape } from "./shapes.ts";
import type { TokenLogpsInto } from "./token-logps.ts";
import type { TokenLogps } from "./vocabulary-sums.ts";
import { addTileGradients, forEachTile, tileSize, tokensOf } from "./vocabulary-tiles.ts";

/** Lanes that share a row, each with a list of its own: wgsl/top_words.wgsl. */
const lanes = 16;
const rounds = 10;
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

export interface CringePenalties {
  /** [E, 1] f32: softplus(s - s*), s the token's logit and s* that of the word drawn */
  readonly penalties: Tensor;
  /** [E, 4] of 32-bit words: bits of d penalty / d s, the word drawn, 0, 0. */
  readonly drawn: Tensor;
}

/**
 * A token's results do not depend on the other tokens.
 * @param hidden [E, H] f32 @param weight [V, H] f32, f16 or bf16 @param targets [E, 1] i32: the tokens
 * @param of what `tokenLogps` gave for them
 */
export function cringePenalties(
  gpu: Gpu,
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  of: TokenLogps,
  options: CringeOptions,
): CringePenalties {
  const { rows, capacity } = hidden;
  const { k, seed, step, keys } = options;
  if (!Number.isInteger(k) || k < 1 || k > mostTopWords)
    throw new RangeError(`cringe: k from 1 to ${mostTopWords} is needed, not ${k}`);
  expectShape("cringePenalties hidden", hidden, rows, weight.cols);
  expectShape("cringePenalties targets", targets, rows, 1, "i32");
  expectShape("cringePenalties keys", keys, rows, 4, "i32");
  const penalties = createTensor(gpu, rows, 1, "cringe penalties", { capacity });
  const drawn = createTensor(gpu, rows, 4, "words drawn", { capacity });
  if (rows === 0) return { penalties, drawn };
  const [key0, key1] = philox4x32([seed >>> 0, Math.floor(seed / 2 ** 32), step, 0], purpose);
  // One more, since the token itself may be among them.
  const keep = k + 1;
  using _scope = gpu.scope();
  const room = tileSize(gpu, capacity, weight.rows).tokens;
  const lists = createTensor(gpu, room, 2 * lanes * keep, "lists of words");
  forEachTile(gpu, hidden, weight, (tile) => {
    const { tokens, word, words, last, logits } = tile;
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
  return { penalties, drawn };
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
  forEachTile(
    gpu,
    hidden,
    weight,
    (tile) => {
      const { tokens, words, word, logits } = tile;
      gpu.recorder.dispatch(gradientKernel, {
        bindings: [
          ...[targets, drawn, gradient].map((t) => bind(gpu, tokensOf(gpu, t, tile))),
          bind(gpu, logits),
        ],
        params: { rows: tokens, words, first: word, stride4: logits.stride4 },
        workgroups: workgroupsForItems(tokens * logits.stride4),
        work: 6 * tokens * words,
      });
      addTileGradients(gpu, tile, dHidden, into.weight, fresh);
    },
    { empty: true },
  );
  return dHidden;
}

/** Every pipeline of this file that no other has, for building them ahead and for tests that compile all. */
export const cringeKernels: readonly KernelVariant[] = [
  { kernel: topWords, variant: {} },
  { kernel: cringeSample, variant: {} },
  { kernel: gradientKernel, variant: {} },
];
