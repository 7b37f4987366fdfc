/** @file Rows of a table by id: token embeddings, learned positions, and rows picked from an activation. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { embedding as kernel } from "./generated/index.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const WG = 64;

export interface EmbeddingOptions {
  /** Adds the rows to this activation [T, H] instead of creating one. */
  readonly into?: Tensor;
  /** Rows that a new activation has room for. Default: those of `ids`. */
  readonly capacity?: number;
}

/**
 * y[t] = table[ids[t]]
 * @param table [V, H] f32, f16 or bf16; larger than a binding is fine
 * @param ids [T, 1] i32, each in [0, V)
 * @returns [T, H] f32
 */
export function embedding(gpu: Gpu, table: Tensor, ids: Tensor, options: EmbeddingOptions = {}): Tensor {
  const { rows } = ids;
  expectShape("embedding ids", ids, rows, 1, "i32");
  const capacity = options.capacity ?? ids.capacity;
  const y = options.into ?? createTensor(gpu, rows, table.cols, `${table.label} rows`, { capacity });
  expectShape("embedding", y, rows, table.cols);
  for (const { first, rows: count, binding } of rowWindows(gpu, table)) {
    gpu.recorder.dispatch(kernel, {
      variant: { headers: { weight: table.dtype } },
      bindings: [binding, bind(gpu, ids), bind(gpu, y)],
      params: {
        rows,
        y_stride4: y.stride4,
        table_stride4: table.stride4,
        first,
        count,
        accumulate: options.into === undefined ? 0 : 1,
      },
      workgroups: ceilDiv(rows * y.stride4, WG),
      work: rows * y.stride,
    });
  }
  return y;
}

/**
 * Rows of an activation.
 * @param x [T, H] f32 @param rows [n, 1] i32, each in [0, T)
 * @returns [n, H] f32
 */
export function gatherRows(gpu: Gpu, x: Tensor, rows: Tensor): Tensor {
  return embedding(gpu, x, rows);
}

export const embeddingKernels = (["f32", "f16", "bf16"] as const).map((weight) => ({
  kernel,
  variant: { headers: { weight } },
}));
