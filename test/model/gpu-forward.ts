/** @file One forward pass on the device, with what tests compare read back per sequence. */
import { pack } from "../../src/data/pack.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../../src/kernels/packed-batch.ts";
import type { Backbone } from "../../src/model/backbone.ts";
import { logits } from "../../src/model/lm-head.ts";
import { readTensor, type Tensor } from "../../src/tensor/tensor.ts";

export interface SequenceStates {
  /** layers + 1 times [tokens, H], as Hugging Face's `hidden_states`. */
  readonly hiddenStates: readonly Float32Array[];
  /** [tokens, V], where a vocabulary head was given. */
  readonly logits: Float32Array;
}

/** All sequences as one packed batch. @param lmHead [V, H] */
export async function gpuForward(
  backbone: Backbone,
  sequences: readonly ArrayLike<number>[],
  lmHead?: Tensor,
): Promise<SequenceStates[]> {
  const { gpu } = backbone;
  const batch = pack(sequences.map((ids) => ({ sequences: [Int32Array.from(ids)] })));
  const { states, logitRows } = recordForward(backbone, batch, lmHead);
  const read = await Promise.all(states);
  const vocabulary = await logitRows;
  await gpu.finish();
  return sequences.map((_, n) => ({
    hiddenStates: read.map((rows) => rowsOf(batch, n, rows, backbone.config.hiddenSize)),
    logits: rowsOf(batch, n, vocabulary, lmHead?.rows ?? 0),
  }));
}

function recordForward(backbone: Backbone, batch: PackedBatch, lmHead?: Tensor) {
  const { gpu } = backbone;
  using _scope = gpu.scope();
  const states: Promise<Float32Array>[] = [];
  // Read while recording, since layers change the rows in place.
  const hidden = backbone.forward(batch, batch.rows, {
    observe: (_, x) => void states.push(readTensor(gpu, x)),
  });
  return {
    states,
    logitRows: lmHead === undefined ? new Float32Array() : readTensor(gpu, logits(gpu, hidden, lmHead)),
  };
}

function rowsOf(batch: PackedBatch, n: number, rows: Float32Array, cols: number): Float32Array {
  const out = new Float32Array(sequenceLength(batch, n) * cols);
  for (let p = 0; p * cols < out.length; p++) {
    const row = rowOf(batch, n, p);
    out.set(rows.subarray(row * cols, (row + 1) * cols), p * cols);
  }
  return out;
}
