/**
 * @file How a vocabulary's logits are cut into tiles, so that only one tile of some tokens by some words exists at a time.
 * Its size is bounded by a constant: memory does not grow with tokens times vocabulary.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { createTensor, rowsOf, Tensor } from "../tensor/tensor.ts";
import { linear } from "./linear.ts";
import { linearInputGradient, linearWeightGradient } from "./linear-gradient.ts";

/**
 * Most bytes of a tile's logits and of its words' weights, and most tokens. A CPU adapter's tile should stay in caches: the
 * input's gradient reads columns of the weights once per few tokens. A GPU wants work for all its cores in each tile.
 */
const bounds = {
  software: { logits: 4 * 2 ** 20, weights: 4 * 2 ** 20, tokens: 512 },
  hardware: { logits: 8 * 2 ** 20, weights: Number.POSITIVE_INFINITY, tokens: 2048 },
} as const;
/** With fewer tokens, weights are hardly read again, and so small tiles would cost more than they save. */
const manyTokens = 64;
/** Tiles begin at multiples of this many tokens and words: aligned to bindings, and to the sums' lanes and chunks. */
const unit = 64;

/** A tensor's rows that stand beside the tile's tokens. */
export function tokensOf(gpu: Gpu, tensor: Tensor, { token, tokens }: VocabularyTile): Tensor {
  return tokens === tensor.rows ? tensor : rowsOf(gpu, tensor, token, tokens);
}

/** A low-rank update of the vocabulary's weight: logits += low B^T. */
export interface VocabularyUpdate {
  /** [E, r] f32: the hidden states' part of it, with the scale */
  readonly low: Tensor;
  /** [V, r] f32 */
  readonly b: Tensor;
}

export interface TileOptions {
  readonly update?: VocabularyUpdate | undefined;
}

/** The rows and words of the next tile, and where both begin. */
export interface VocabularyTile {
  readonly token: number;
  readonly tokens: number;
  readonly word: number;
  readonly words: number;
  /** Whether no words follow for these tokens. */
  readonly last: boolean;
  /** [tokens, words] f32 of the tile, overwritten by the next one. */
  readonly logits: Tensor;
  /** hidden's rows of the tile. */
  readonly hidden: Tensor;
  /** weight's rows of the tile. */
  readonly weight: Tensor;
  /** Its rows of low and of B. */
  readonly update: VocabularyUpdate | undefined;
}

/** Tokens and words of a tile; a function of the room for tokens, the vocabulary's weight and the device. */
export function tileSize(gpu: Gpu, capacity: number, weight: Tensor): { tokens: number; words: number } {
  const bound = gpu.facts.software ? bounds.software : bounds.hardware;
  const elements = Math.floor(Math.min(bound.logits, gpu.facts.limits.maxBinding) / 4);
  // 16 lanes of a vec4 for each token have to fit a binding too.
  const most = Math.min(bound.tokens, Math.floor(elements / unit));
  const tokens =
    capacity <= most ? Math.max(1, capacity) : Math.max(1, Math.floor(most / unit)) * Math.min(most, unit);
  const all = Math.ceil(weight.rows / unit) * unit;
  const cached = tokens < manyTokens ? all : bound.weights / weight.rowBytes;
  const units = Math.max(1, Math.floor(Math.min(elements / tokens, cached) / unit));
  // An odd number of them: where rows lie a large power of two apart, caches have few places for all of them.
  return { tokens, words: Math.min(all, (units - 1 + (units % 2)) * unit) };
}

/**
 * Records the logits of one tile after the other, word tiles within token tiles, and what `use` does with each.
 * @param hidden [E, H] f32 @param weight [V, H] f32, f16 or bf16; larger than a binding is fine
 */
export function forEachTile(
  gpu: Gpu,
  hidden: Tensor,
  weight: Tensor,
  use: (tile: VocabularyTile) => void,
  { update }: TileOptions = {},
): void {
  const size = tileSize(gpu, hidden.capacity, weight);
  using _scope = gpu.scope();
  const scratch = createTensor(gpu, size.tokens, size.words, "tile of vocabulary logits");
  for (let token = 0; token < hidden.rows; token += size.tokens) {
    const tokens = Math.min(size.tokens, hidden.rows - token);
    const rowsFor = (x: Tensor) => (tokens === x.rows ? x : rowsOf(gpu, x, token, tokens));
    const rows = rowsFor(hidden);
    for (let word = 0; word < weight.rows; word += size.words) {
      const words = Math.min(size.words, weight.rows - word);
      const wordsOf = (x: Tensor) => (words === x.rows ? x : rowsOf(gpu, x, word, words));
      const part = wordsOf(weight);
      const own = update && { low: rowsFor(update.low), b: wordsOf(update.b) };
      const logits = new Tensor(scratch.buffer, "f32", tokens, words, size.tokens, scratch.label);
      linear(gpu, rows, part, { out: logits });
      if (own !== undefined) linear(gpu, own.low, own.b, { into: logits });
      const last = word + words === weight.rows;
      use({ token, tokens, word, words, last, logits, hidden: rows, weight: part, update: own });
    }
  }
}

/**
 * What a tile of d loss / d logits gives its tokens and words.
 * @param fresh dHidden holds nothing yet: the first tile of its rows is written, not added
 */
export function addTileGradients(
  gpu: Gpu,
  tile: VocabularyTile,
  dHidden: Tensor | undefined,
  dWeight: Tensor | undefined,
  fresh: boolean,
): void {
  const { logits, word, words } = tile;
  if (dHidden !== undefined) {
    const overwrite = fresh && word === 0;
    linearInputGradient(gpu, logits, tile.weight, tokensOf(gpu, dHidden, tile), { overwrite });
  }
  if (dWeight !== undefined) {
    const window = words === dWeight.rows ? dWeight : rowsOf(gpu, dWeight, word, words);
    linearWeightGradient(gpu, logits, tile.hidden, window, true);
  }
}
