/**
 * @file Features: the hidden state at which each sequence is read, [n, H]. The frozen backbone runs once for them, and
 * once for sequences that occur several times (a reply in several pairs); every epoch and evaluation after that touches
 * only the head. What earlier runs kept is not computed at all.
 */
import type { Item } from "../data/pack.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { gatherRows } from "../kernels/embedding.ts";
import type { Backbone } from "../model/backbone.ts";
import { createTensor, readTensor, type Tensor, uploadTensor, writeRows } from "../tensor/tensor.ts";
import { distinct } from "./distinct.ts";
import { rowKey } from "./feature-cache/keys.ts";
import type { Rows } from "./feature-cache/segment.ts";
import {
  type BatchOfItems,
  type BatchWork,
  type RunOptions,
  readRows,
  runBatches,
  type TokenCounts,
} from "./run-batches.ts";

/** Of a sequence's ids: the token whose hidden state is the feature. */
export type ReadIndex = (ids: Int32Array) => number;

export interface Features {
  /** [n, H] f32 on the device, one row for each sequence that differs from the others. */
  readonly table: Tensor;
  /** Rows of the table by item and sequence: `rows[item][reply]`. */
  readonly rows: readonly Int32Array[];
  readonly counts: TokenCounts;
  /** Sequences whose features had been kept by an earlier run. */
  readonly cached: number;
}

/** Features that outlive a run (see FeatureCache). */
export interface FeatureStore {
  /** Hands over every wanted row that is there, once each; takes it out of `wanted`. */
  read(wanted: Set<string>, take: (rows: Rows) => Promise<void>): Promise<void>;
  add(rows: Rows): Promise<void>;
}

export interface FeatureOptions extends RunOptions {
  readonly store?: FeatureStore | undefined;
  /** Called before anything is computed: sequences whose features were in the store, and all sequences. */
  readonly onCached?: (cached: number, of: number) => void;
}

/** Runs the backbone over so many items; called only where there is something to compute. */
export type WithBackbone = (
  items: number,
  work: (backbone: Backbone) => Promise<TokenCounts>,
) => Promise<TokenCounts>;

/**
 * The features of all items' sequences; the same bits whatever was kept.
 * @param width H
 * @throws OutOfMemoryError when the table does not fit the memory budget
 */
export async function computeFeatures(
  gpu: Gpu,
  width: number,
  items: readonly Item[],
  readIndex: ReadIndex,
  options: FeatureOptions,
  withBackbone: WithBackbone,
): Promise<Features> {
  const keys = items.map(({ sequences }) => sequences.map((ids) => rowKey(ids, readIndex(ids))));
  const all = keys.flat();
  const wanted = new Set(all);
  const table = createTensor(gpu, wanted.size, width, "features", { persistent: true });
  const rowOf = new Map<string, number>();
  const place = (found: readonly string[]) => {
    for (const key of found) rowOf.set(key, rowOf.size);
  };
  try {
    await options.store?.read(wanted, async ({ keys: found, values }) => {
      writeRows(gpu, table, rowOf.size, values);
      place(found);
      await gpu.finish(); // else the device's own copies of what it is handed pile up
    });
    const cached = all.filter((key) => rowOf.has(key)).length;
    options.onCached?.(cached, all.length);
    const missing = distinct({ items, keys }, rowOf);
    const visit: BatchWork<Tensor> = {
      name: "features",
      record: (batch, hidden) => gatherFeatures(gpu, batch, hidden, readIndex),
      take: (gathered, batch) => {
        copyRows(gpu, gathered, table, rowOf.size);
        const own = batch.items.flatMap((i) => missing.keys[i]!);
        place(own);
        return keep(gpu, options.store, own, gathered);
      },
    };
    const counts =
      missing.items.length === 0
        ? { computed: 0, padded: 0 }
        : await withBackbone(missing.items.length, (backbone) =>
            runBatches(backbone, missing.items, options, visit),
          );
    return {
      table,
      rows: keys.map((own) => Int32Array.from(own, (key) => rowOf.get(key)!)),
      counts,
      cached,
    };
  } catch (error) {
    gpu.release(table.buffer);
    throw error;
  }
}

/** Waits until the device has done with the batch. */
async function keep(
  gpu: Gpu,
  store: FeatureStore | undefined,
  keys: readonly string[],
  gathered: Tensor,
): Promise<void> {
  if (store === undefined) return gpu.finish();
  const values = await readTensor(gpu, gathered);
  await store.add({ keys, values });
}

/** A batch's features, sequence by sequence, [n, H]. */
function gatherFeatures(gpu: Gpu, { batch }: BatchOfItems, hidden: Tensor, readIndex: ReadIndex): Tensor {
  const leaves = readRows(batch, readIndex);
  return gatherRows(gpu, hidden, uploadTensor(gpu, leaves, 1, "leaf rows", { capacity: hidden.capacity }));
}

/** Records the copy of all rows to rows `first`... of the table. */
function copyRows(gpu: Gpu, from: Tensor, table: Tensor, first: number): void {
  const { rows, rowBytes } = from;
  gpu.recorder.copyBuffer(from.buffer, 0, table.buffer, first * rowBytes, rows * rowBytes);
}

export function releaseFeatures(gpu: Gpu, features: Features): void {
  gpu.release(features.table.buffer);
}
