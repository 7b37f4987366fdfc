/** @file The backward of looking up rows by id: embeddings, learned positions, and rows picked from an activation. */
import type { Gpu } from "../gpu/gpu.ts";
import { bind, createTensor, rowWindows, type Tensor } from "../tensor/tensor.ts";
import { sumRows } from "./generated/index.ts";
import type { RowGroups } from "./row-groups.ts";
import { workgroupsForItems } from "./row-kernel.ts";
import { expectShape } from "./shapes.ts";

/**
 * into[id] += the sum of dy's rows of that id, in row order; the same batch gives the same bits.
 * @param dy [T, H] f32: d loss / d y, y[t] = table[ids[t]]
 * @param groups the rows by id, see uploadRowGroups
 * @param into [V, H] f32; larger than a binding is fine
 */
export function embeddingGradient(gpu: Gpu, dy: Tensor, groups: RowGroups, into: Tensor): void {
  expectShape("embeddingGradient dy", dy, groups.rows, into.cols);
  expectShape("embeddingGradient into", into, into.rows, dy.cols);
  if (groups.maxId >= into.rows)
    throw new Error(`embeddingGradient: id ${groups.maxId} lies outside of ${into.shape}`);
  using _scope = gpu.scope();
  const partials = createTensor(gpu, groups.chunks.count, dy.cols, "embedding partial sums", {
    capacity: groups.partialCapacity,
  });
  const window = { first: 0, rows: partials.rows, binding: bind(gpu, partials) };
  sum(gpu, groups, "chunks", { from: dy, window, accumulate: false });
  for (const window of rowWindows(gpu, into)) {
    sum(gpu, groups, "cold", { from: dy, window, accumulate: true });
    sum(gpu, groups, "hot", { from: partials, window, accumulate: true });
  }
}

/**
 * The gradient of gatherRows: d[row] = (into ?? 0)[row] + the sum of the dy that were gathered from it.
 * @param dy [n, H] f32
 * @param groups the n gathered rows, grouped by where they lie
 * @param x rows and room of the activation [T, H] that was gathered from
 * @param into [T, H] f32: adds to this gradient instead of creating one
 * @returns [T, H] f32
 */
export function gatherRowsGradient(
  gpu: Gpu,
  dy: Tensor,
  groups: RowGroups,
  x: { readonly rows: number; readonly capacity: number },
  into?: Tensor,
): Tensor {
  const d = into ?? createTensor(gpu, x.rows, dy.cols, "gathered dx", { capacity: x.capacity });
  if (into === undefined) gpu.recorder.clear(d.buffer, d.offset, d.rows * d.rowBytes);
  expectShape("gatherRowsGradient into", d, x.rows, dy.cols);
  embeddingGradient(gpu, dy, groups, d);
  return d;
}

interface Sum {
  readonly from: Tensor;
  readonly window: ReturnType<typeof rowWindows>[number];
  readonly accumulate: boolean;
}

function sum(gpu: Gpu, groups: RowGroups, part: "cold" | "chunks" | "hot", s: Sum): void {
  const { first, count } = groups[part];
  const { stride4 } = s.from;
  gpu.recorder.dispatch(sumRows, {
    bindings: [bind(gpu, groups.table), bind(gpu, s.from), s.window.binding],
    params: {
      units: count,
      first_unit: first,
      list: groups.list,
      listed: part === "hot" ? 0 : 1,
      stride4,
      first: s.window.first,
      count: s.window.rows,
      accumulate: s.accumulate ? 1 : 0,
    },
    workgroups: workgroupsForItems(count * stride4),
    work: 4 * s.from.rows * s.from.stride,
  });
}

/** Every pipeline of the look-up's backward, for building them ahead and for tests that compile all. */
export const embeddingGradientKernels = [{ kernel: sumRows, variant: {} }] as const;
