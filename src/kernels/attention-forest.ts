/** @file A packed batch's tables on the device: each row's position, and the tiles of rows that attention works on. */
import type { Gpu } from "../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { PackedBatch } from "./packed-batch.ts";

export interface ForestTables {
  /** [T, 1] i32: path position of each row. */
  readonly positions: Tensor;
  /**
   * [tiles, 8] i32: consecutive rows of one segment, at most `tileRows`. First row, rows, first path position,
   * parent's start, parent's length, segment's start, 0, 0.
   */
  readonly tiles: Tensor;
  /** Tokens of the batch's longest path. */
  readonly maxPath: number;
  /** Query rows per workgroup. */
  readonly tileRows: number;
}

/** Rows per tile: a CPU adapter's subgroup, since rows of longer tiles walk keys that they don't see; a GPU's usual one. */
export const tileRows = { software: 8, hardware: 32 };

/**
 * Uploads the tables of a batch; they belong to the caller's scope.
 * @param capacity rows to make room for (the token budget), so that buffers are the same for every batch
 * @param rowsPerTile rows per tile, at least 8; no result depends on it
 */
export function uploadForest(
  gpu: Gpu,
  batch: PackedBatch,
  capacity: number,
  rowsPerTile: number = gpu.facts.software ? tileRows.software : tileRows.hardware,
): ForestTables {
  return {
    positions: uploadTensor(gpu, batch.positions, 1, "positions", { capacity }),
    tiles: uploadTensor(gpu, tilesOf(batch, rowsPerTile), 8, "attention tiles", { capacity }),
    maxPath: batch.maxPath,
    tileRows: rowsPerTile,
  };
}

function tilesOf({ segments }: PackedBatch, rowsPerTile: number): Int32Array<ArrayBuffer> {
  const tiles: number[] = [];
  for (let s = 0; s < segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = segments.subarray(s, s + 4);
    for (let first = 0; first < length; first += rowsPerTile) {
      const rows = Math.min(rowsPerTile, length - first);
      tiles.push(start + first, rows, parentLength + first, parentStart, parentLength, start, 0, 0);
    }
  }
  return Int32Array.from(tiles);
}
