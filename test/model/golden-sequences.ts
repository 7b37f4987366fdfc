/** @file The token ids of a golden's padded sets, without their padding. */
import type { goldenTensors } from "../reference/goldens.ts";

export type Goldens = ReturnType<typeof goldenTensors>;

/** The unmasked run of ids in each row of a padded set, and where it begins. */
export function unpadded(golden: Goldens, set: string) {
  const ids = golden.get(`${set}/input_ids`);
  const mask = golden.get(`${set}/attention_mask`).data;
  const [rows = 0, width = 0] = ids.shape;
  return Array.from({ length: rows }, (_, row) => {
    const real = mask.subarray(row * width, (row + 1) * width);
    const first = real.indexOf(1);
    const end = real.lastIndexOf(1) + 1;
    return {
      row,
      first,
      ids: Int32Array.from(ids.data.subarray(row * width + first, row * width + end)),
      /** This sequence's part of a tensor [rows, width, cols]. */
      slice: (data: Float64Array, cols = 1) =>
        data.subarray((row * width + first) * cols, (row * width + end) * cols),
    };
  });
}

export type Unpadded = ReturnType<typeof unpadded>;
