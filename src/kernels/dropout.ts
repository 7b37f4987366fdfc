/**
 * @file Dropout whose mask is a function of the seed, the step, the module, an element's column and the tokens that lead
 * to its row, so that packing, micro-batches, checkpointing and resuming do not change it.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { dropout as kernel } from "./generated/index.ts";
import type { PackedBatch } from "./packed-batch.ts";
import { philox4x32 } from "./philox.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

const rounds = 10;
/** Keys of the two uses of Philox on the host ("path", "drop" in ASCII), so that their words have nothing in common. */
const purpose = { path: [0x70617468, 0], module: [0x64726f70, 0] } as const;

/**
 * What tells a row from any other: a hash of the token ids from its sequence's begin up to it (two words), and its path
 * position. A row of a shared prompt has the key that it would have in each of its sequences alone.
 * @returns [T, 4] i32, the last word 0
 */
export function pathKeys(batch: PackedBatch): Int32Array {
  const keys = new Int32Array(4 * batch.rows);
  for (let s = 0; s < batch.segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = batch.segments.subarray(s, s + 4);
    const last = 4 * (parentStart + parentLength - 1);
    let [a = 0, b = 0] = parentLength === 0 ? [0, 0] : keys.subarray(last, last + 2);
    for (let row = start; row < start + length; row++) {
      [a, b] = philox4x32([a >>> 0, b >>> 0, batch.ids[row] ?? 0, 0], purpose.path);
      keys.set([a, b, batch.positions[row] ?? 0], 4 * row);
    }
  }
  return keys;
}

/** The keys of a batch's rows, in the current scope; `capacity`: rows to make room for. */
export function uploadDropoutKeys(gpu: Gpu, batch: PackedBatch, capacity: number): Tensor {
  return uploadTensor(gpu, pathKeys(batch), 4, "dropout keys", { capacity });
}

export interface DropoutOptions {
  /** Probability of a zero, in [0, 1). */
  readonly p: number;
  /** A safe integer, at least 0. */
  readonly seed: number;
  /** The optimiser's step, so that each has another mask. */
  readonly step: number;
  /** Number of the place in the model, so that each has another mask. */
  readonly module: number;
  /** [T, 4] i32, see uploadDropoutKeys. */
  readonly keys: Tensor;
}

/** The key of one module's mask in one step. */
export function maskKey({ seed, step, module }: DropoutOptions): readonly [number, number] {
  const [a, b] = philox4x32([seed >>> 0, Math.floor(seed / 2 ** 32), step, module], purpose.module);
  return [a, b];
}

/**
 * y = (into ?? 0) + x * mask, the mask 0 with probability p, else 1 / (1 - p). Its gradient is itself on dy, with the same
 * options.
 * @param x [T, H] f32
 * @param into [T, H] f32: adds to this instead of creating one
 * @returns [T, H] f32
 */
export function dropout(gpu: Gpu, x: Tensor, options: DropoutOptions, into?: Tensor): Tensor {
  const { p, keys } = options;
  if (!(p >= 0 && p < 1)) throw new RangeError(`dropout: a probability in [0, 1) is needed, not ${p}`);
  expectShape("dropout", x, x.rows, x.cols);
  expectShape("dropout keys", keys, x.rows, 4, "i32");
  const y = into ?? createTensor(gpu, x.rows, x.cols, "dropout", { capacity: x.capacity });
  expectShape("dropout into", y, x.rows, x.cols);
  const [key0, key1] = maskKey(options);
  const count = x.rows * x.stride4;
  gpu.recorder.dispatch(kernel, {
    bindings: [bind(gpu, x), bind(gpu, keys), bind(gpu, y)],
    params: {
      rows: x.rows,
      stride4: x.stride4,
      key0,
      key1,
      threshold: Math.floor(p * 2 ** 32),
      scale: 1 / (1 - p),
      rounds,
      accumulate: into === undefined ? 0 : 1,
    },
    workgroups: workgroupsForItems(count),
    work: 300 * count,
  });
  return y;
}

/** Every pipeline of dropout, for building them ahead and for tests that compile all. */
export const dropoutKernels = [{ kernel, variant: {} }] as const;
