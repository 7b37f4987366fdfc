/** @file Two columns one below the other, with the gradient of each on a tape. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Recording } from "../../model/operations.ts";
import { createTensor, type Tensor } from "../../tensor/tensor.ts";

/** @param above [n, 1] f32 @param below [m, 1] f32 @returns [n + m, 1] f32 */
export function stack({ gpu, tape }: Recording, above: Tensor, below: Tensor): Tensor {
  const rows = above.rows + below.rows;
  const y = createTensor(gpu, rows, 1, "stacked", { capacity: above.capacity + below.capacity });
  move(gpu, above, 0, y, 0, above.rows);
  move(gpu, below, 0, y, above.rows, below.rows);
  if (tape?.tracks(above, below)) {
    tape.record(y, [], (dy) => {
      for (const [x, from] of [
        [above, 0],
        [below, above.rows],
      ] as const) {
        if (!tape.tracks(x)) continue;
        const dx = createTensor(gpu, x.rows, 1, "part of a stack", { capacity: x.capacity });
        move(gpu, dy, from, dx, 0, x.rows);
        tape.pass(x, dx);
      }
    });
  }
  return y;
}

function move(gpu: Gpu, from: Tensor, row: number, to: Tensor, at: number, rows: number): void {
  const { rowBytes } = from;
  gpu.recorder.copyBuffer(from.buffer, row * rowBytes, to.buffer, at * rowBytes, rows * rowBytes);
}
