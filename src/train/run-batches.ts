/**
 * @file Runs the backbone over many items in packed batches. Training, scoring and traces all come through here, so
 * that a reward has the same bits wherever it is computed.
 */
import { type Item, pack, planBatches } from "../data/pack.ts";
import { InputError } from "../errors.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../kernels/packed-batch.ts";
import type { Backbone } from "../model/backbone.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Tokens that were computed, and what a batch padded to its longest sequence would have computed. */
export interface TokenCounts {
  computed: number;
  padded: number;
}

export interface BatchOfItems {
  readonly batch: PackedBatch;
  /** Indices of the batch's items among those given. */
  readonly items: readonly number[];
  /** [T, H] f32, after the final norm; gone when `visit` returns, but what `visit` recorded is done before that. */
  readonly hidden: Tensor;
}

export interface RunOptions {
  /** Most tokens in a batch; an item that has more is a batch of its own. */
  readonly batchTokens: number;
  /** Whether low-rank updates are applied. Default: true. */
  readonly updates?: boolean | undefined;
  /** Called after each batch with the items done so far and the tokens computed so far. */
  readonly onProgress?: ((done: number, counts: TokenCounts) => void) | undefined;
}

export const defaultBatchTokens = 4096;

/** The token budget, lowered where the device cannot bind an activation of that many rows at once. */
export function fittingBatchTokens(backbone: Backbone, wanted: number): number {
  const { maxBinding } = backbone.gpu.facts.limits;
  return Math.max(
    1,
    Math.min(wanted, Math.floor(maxBinding / (16 * Math.ceil(backbone.widestActivation / 4)))),
  );
}

/**
 * Calls `visit` once per batch, in which each item occurs once. `visit` records work on the hidden states and may
 * return a promise of what it reads back.
 */
export async function runBatches(
  backbone: Backbone,
  items: readonly Item[],
  options: RunOptions,
  visit: (batch: BatchOfItems) => Promise<void> | void,
): Promise<TokenCounts> {
  const counts: TokenCounts = { computed: 0, padded: 0 };
  const batchTokens = fittingBatchTokens(backbone, options.batchTokens);
  let done = 0;
  for (const indices of planBatches(items, batchTokens)) {
    const batch = pack(indices.map((i) => items[i]!));
    await recordBatch(backbone, batch, { batchTokens, updates: options.updates }, (hidden) =>
      visit({ batch, items: indices, hidden }),
    );
    counts.computed += batch.rows;
    counts.padded += batch.paddedTokens;
    done += indices.length;
    options.onProgress?.(done, counts);
  }
  return counts;
}

/** Recording is synchronous, so that scopes of concurrent runs cannot interleave; only the reading is awaited. */
function recordBatch(
  backbone: Backbone,
  batch: PackedBatch,
  { batchTokens, updates }: RunOptions,
  visit: (hidden: Tensor) => Promise<void> | void,
): Promise<void> | void {
  using _scope = backbone.gpu.scope();
  return visit(backbone.forward(batch, batchTokens, { adapter: updates }));
}

/** The row at which each sequence of a batch is read. @param readIndex of a sequence's ids: the token to read */
export function readRows(batch: PackedBatch, readIndex: (ids: Int32Array) => number): Int32Array {
  return Int32Array.from({ length: batch.sequenceSegments.length }, (_, n) =>
    rowOf(batch, n, readIndex(sequenceIds(batch, n))),
  );
}

/** The ids of sequence `n`, prompt included. */
export function sequenceIds(batch: PackedBatch, n: number): Int32Array {
  return Int32Array.from({ length: sequenceLength(batch, n) }, (_, p) => batch.ids[rowOf(batch, n, p)]!);
}

/** @throws InputError naming the record whose sequence is longer than learned positions reach */
export function checkPositions(backbone: Backbone, length: number, where: string): void {
  const { learnedPositions, maxPositions } = backbone.config;
  if (learnedPositions && length > maxPositions) {
    throw new InputError(
      `${where}: ${length} tokens, but the model has learned positions for ${maxPositions}; shorten it, or use --truncate left or right`,
    );
  }
}
