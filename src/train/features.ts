/**
 * @file Features: the hidden state at which each sequence is read, [n, H]. The frozen backbone runs once for them;
 * every epoch and evaluation after that touches only the head.
 */
import type { Item } from "../data/pack.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { gatherRows } from "../kernels/embedding.ts";
import type { Backbone } from "../model/backbone.ts";
import { createTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { type RunOptions, readRows, runBatches, type TokenCounts } from "./run-batches.ts";

export interface Features {
  /** [n, H] f32 on the device, in the order in which batches were computed. */
  readonly table: Tensor;
  /** Rows of the table by item and sequence: `rows[item][reply]`. */
  readonly rows: readonly Int32Array[];
  readonly counts: TokenCounts;
}

/**
 * Computes the features of all items' sequences.
 * @param readIndex of a sequence's ids: the token whose hidden state is the feature
 * @throws OutOfMemoryError when the table does not fit the memory budget
 */
export async function computeFeatures(
  backbone: Backbone,
  items: readonly Item[],
  readIndex: (ids: Int32Array) => number,
  options: RunOptions,
): Promise<Features> {
  const { gpu, config } = backbone;
  const count = items.reduce((sum, item) => sum + item.sequences.length, 0);
  const table = createTensor(gpu, count, config.hiddenSize, "features", { persistent: true });
  const rows = items.map((item) => new Int32Array(item.sequences.length));
  let next = 0;
  try {
    const counts = await runBatches(backbone, items, options, ({ batch, items: indices, hidden }) => {
      const leaves = readRows(batch, readIndex);
      const gathered = gatherRows(
        gpu,
        hidden,
        uploadTensor(gpu, leaves, 1, "leaf rows", { capacity: hidden.capacity }),
      );
      gpu.recorder.copy(
        gathered.buffer,
        0,
        table.buffer.raw,
        next * table.rowBytes,
        leaves.length * table.rowBytes,
      );
      table.buffer.lastRecording = gpu.recorder.recording;
      for (const i of indices) {
        const own = rows[i]!;
        for (let reply = 0; reply < own.length; reply++) own[reply] = next++;
      }
      return gpu.finish();
    });
    return { table, rows, counts };
  } catch (error) {
    gpu.release(table.buffer);
    throw error;
  }
}

export function releaseFeatures(gpu: Gpu, features: Features): void {
  gpu.release(features.table.buffer);
}
