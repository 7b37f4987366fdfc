/**
 * @file Runs the backbone over many items in packed batches. Training, scoring and traces all come through here, so
 * that a reward has the same bits wherever it is computed.
 */
import { type Item, pack, planBatches } from "../data/pack.ts";
import { InputError } from "../errors.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { type WarmUpProgress, warmUp } from "../gpu/warm-up.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../kernels/packed-batch.ts";
import { rowsOfEveryChoice } from "../kernels/variants.ts";
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
}

/** What is made of each batch's hidden states. */
export interface BatchWork<Recorded> {
  /** Works of other names on the same backbone use other kernels. */
  readonly name: string;
  /**
   * Rows of the products that `record` computes: kernels are chosen by whether they are few. Default: as many as the
   * batch has sequences.
   */
  rows?(batch: BatchOfItems): number;
  /**
   * Records work on the hidden states, and does nothing else: it is also called where nothing is computed, to find which
   * pipelines it needs.
   * @param hidden [T, H] f32, after the final norm; gone when `take` returns, but what was recorded is done before that
   */
  record(batch: BatchOfItems, hidden: Tensor): Recorded;
  /** Begins to read what was recorded; its scope ends when this returns. */
  take(recorded: Recorded, batch: BatchOfItems): Promise<void> | void;
}

export interface RunOptions {
  /** Most tokens in a batch; an item that has more is a batch of its own. */
  readonly batchTokens: number;
  /** Whether low-rank updates are applied. Default: true. */
  readonly updates?: boolean | undefined;
  /** Called after each batch with the items done so far and the tokens computed so far. */
  readonly onProgress?: ((done: number, counts: TokenCounts) => void) | undefined;
  /** Called while the driver compiles what a batch needs; not where it has it from earlier runs. */
  readonly onCompiled?: WarmUpProgress | undefined;
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

/** Does the work once per batch, in which each item occurs once. Pipelines are made ready before a batch that needs new ones. */
export async function runBatches<Recorded>(
  backbone: Backbone,
  items: readonly Item[],
  options: RunOptions,
  work: BatchWork<Recorded>,
): Promise<TokenCounts> {
  const counts: TokenCounts = { computed: 0, padded: 0 };
  const batchTokens = fittingBatchTokens(backbone, options.batchTokens);
  let done = 0;
  for (const indices of planBatches(items, batchTokens)) {
    const own = { batch: pack(indices.map((i) => items[i]!)), items: indices };
    const run = { ...options, batchTokens };
    await makeReady(backbone, own, run, work);
    await recordBatch(backbone, own, run, work);
    counts.computed += own.batch.rows;
    counts.padded += own.batch.paddedTokens;
    done += indices.length;
    options.onProgress?.(done, counts);
  }
  return counts;
}

/** The pipelines that the first batch needs. */
export function pipelinesOfFirstBatch<Recorded>(
  backbone: Backbone,
  items: readonly Item[],
  options: RunOptions,
  work: BatchWork<Recorded>,
): readonly KernelVariant[] {
  const batchTokens = fittingBatchTokens(backbone, options.batchTokens);
  const [indices] = planBatches(items, batchTokens);
  if (indices === undefined) return [];
  const own = { batch: pack(indices.map((i) => items[i]!)), items: indices };
  return pipelinesOf(backbone, own, { ...options, batchTokens }, work);
}

/** Works, with the numbers of rows as far as kernels are chosen by them, whose pipelines are ready. */
const ready = new WeakMap<Backbone, Set<string>>();

async function makeReady<Recorded>(
  backbone: Backbone,
  own: BatchOfItems,
  options: RunOptions,
  work: BatchWork<Recorded>,
): Promise<void> {
  const known = ready.get(backbone) ?? new Set();
  ready.set(backbone, known);
  const rows = work.rows?.(own) ?? own.batch.sequenceSegments.length;
  const key = [work.name, options.updates ?? true, choiceOf(own.batch.rows), choiceOf(rows)].join();
  if (known.has(key)) return;
  await warmUp(backbone.gpu, pipelinesOf(backbone, own, options, work), options.onCompiled);
  known.add(key);
}

/** So many rows have the same kernels as this many. */
const choiceOf = (rows: number): number =>
  rowsOfEveryChoice.find((most) => rows <= most) ?? Number.POSITIVE_INFINITY;

function pipelinesOf<Recorded>(
  backbone: Backbone,
  own: BatchOfItems,
  { batchTokens, updates }: RunOptions,
  work: BatchWork<Recorded>,
): readonly KernelVariant[] {
  // Tables outlive a rehearsal.
  backbone.reserve(own.batch.maxPath);
  const { pipelines } = backbone.gpu.rehearse(() => {
    work.record(own, backbone.forward(own.batch, batchTokens, { adapter: updates }));
  });
  return pipelines;
}

/** Recording is synchronous, so that scopes of concurrent runs cannot interleave; only the reading is awaited. */
function recordBatch<Recorded>(
  backbone: Backbone,
  own: BatchOfItems,
  { batchTokens, updates }: RunOptions,
  work: BatchWork<Recorded>,
): Promise<void> | void {
  using _scope = backbone.gpu.scope();
  const hidden = backbone.forward(own.batch, batchTokens, { adapter: updates });
  return work.take(work.record(own, hidden), own);
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
