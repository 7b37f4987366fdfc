/** @file A packed batch's tables on the device: each row's position, and the tiles of rows that attention works on. */
import type { Gpu } from "../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { narrowRows, subgroupRows } from "./attention-subgroups.ts";
import { queryTiles, splitQueryTiles, splitTiles } from "./attention-tiles.ts";
import type { PackedBatch } from "./packed-batch.ts";

/** Tiles of rows that one pipeline works on. */
export interface Tiling {
  readonly tiles: Tensor;
  /** The most rows of a tile. */
  readonly tileRows: number;
  /** On CPU adapters, tiles of at most `narrowRows` rows, which are another pipeline's. */
  readonly narrow?: Tensor;
}

/** One for each pipeline; which there are doesn't depend on the batch. */
export const tilingsOf = ({
  tiles,
  tileRows,
  narrow,
}: Tiling): readonly Pick<Tiling, "tiles" | "tileRows">[] =>
  narrow === undefined
    ? [{ tiles, tileRows }]
    : [
        { tiles, tileRows },
        { tiles: narrow, tileRows: narrowRows },
      ];

/** A batch without tiles of one kind has one workgroup that ends at once: so steps build the same, whatever batch is the first. */
export const atLeastOne = (workgroups: number): number => Math.max(1, workgroups);

/** Rows of the batch that these tiles have, at most: for estimates of work. */
export const rowsOf = (tiles: Tensor, tileRows: number, { rows }: Tensor): number =>
  Math.min(rows, tiles.rows * tileRows);

export interface ForestTables extends Tiling {
  /** [T, 1] i32: path position of each row. */
  readonly positions: Tensor;
  /** [tiles, 4] i32: `queryTiles` of at most `tileRows` rows. */
  readonly tiles: Tensor;
  /** [narrow tiles, 4] i32: the same. */
  readonly narrow?: Tensor;
  /** [S, 4] i32: `PackedBatch.segments`. */
  readonly segments: Tensor;
  /** Tokens of the batch's longest path. */
  readonly maxPath: number;
  /** Query rows per workgroup. */
  readonly tileRows: number;
}

/**
 * Rows per tile: those of a CPU adapter's subgroup, since rows of longer tiles walk keys that they don't see; on a GPU what a
 * workgroup of the `shared` kernels has room for (wgsl/lib/attention_shared).
 */
export const tileRows = { software: subgroupRows, hardware: 64 };

/** What attention's backward needs beside `ForestTables`: which queries see each key. */
export interface ForestGradientTables extends Tiling {
  /** [tiles, 4] i32: consecutive rows of one segment. First row, rows, first range of queries, the one after the last. */
  readonly tiles: Tensor;
  /** [narrow tiles, 4] i32: the same. */
  readonly narrow?: Tensor;
  /** [ranges, 4] i32: first row, the row after the last, 0, 0. Each segment's own rows and those of each child, in order. */
  readonly ranges: Tensor;
  readonly tileRows: number;
}

/** What `rowsPerTile` is by default, and whether narrow tiles are told apart. */
const defaultTileRows = (gpu: Gpu) => (gpu.facts.software ? tileRows.software : tileRows.hardware);
const splits = (gpu: Gpu, rowsPerTile: number | undefined) => gpu.facts.software && rowsPerTile === undefined;

/**
 * Uploads the tables of a batch; they belong to the caller's scope.
 * @param capacity rows to make room for (the token budget), so that buffers are the same for every batch
 * @param rowsPerTile rows per tile; no result depends on it. Default: the fastest for the device
 */
export function uploadForest(
  gpu: Gpu,
  batch: PackedBatch,
  capacity: number,
  rowsPerTile?: number,
): ForestTables {
  const rows = rowsPerTile ?? defaultTileRows(gpu);
  const split = splits(gpu, rowsPerTile)
    ? splitQueryTiles(batch, rows, narrowRows)
    : { wide: queryTiles(batch, rows) };
  return {
    positions: uploadTensor(gpu, batch.positions, 1, "positions", { capacity }),
    ...uploadTiles(gpu, split, "attention tiles", capacity),
    segments: uploadTensor(gpu, batch.segments, 4, "attention segments", { capacity }),
    maxPath: batch.maxPath,
    tileRows: rows,
  };
}

function uploadTiles(
  gpu: Gpu,
  { wide, narrow }: { readonly wide: Int32Array; readonly narrow?: Int32Array },
  label: string,
  capacity: number,
) {
  const tiles = uploadTensor(gpu, wide, 4, label, { capacity });
  if (narrow === undefined) return { tiles };
  return { tiles, narrow: uploadTensor(gpu, narrow, 4, `${label}, narrow`, { capacity }) };
}

/**
 * Uploads what attention's backward needs beside `uploadForest`; it belongs to the caller's scope.
 * @param capacity rows to make room for (the token budget), so that buffers are the same for every batch
 * @param rowsPerTile key rows per tile; no result depends on it. Default: the fastest for the device
 */
export function uploadForestGradient(
  gpu: Gpu,
  batch: PackedBatch,
  capacity: number,
  rowsPerTile?: number,
): ForestGradientTables {
  const rows = rowsPerTile ?? defaultTileRows(gpu);
  const { tiles, ranges } = keyTilesOf(batch, rows);
  const split = splits(gpu, rowsPerTile) ? splitTiles(tiles, narrowRows) : { wide: tiles };
  return {
    ...uploadTiles(gpu, split, "attention key tiles", capacity),
    // Each segment has its own range and at most one more in its parent's list; none is empty.
    ranges: uploadTensor(gpu, ranges, 4, "attention query ranges", { capacity: 2 * capacity }),
    tileRows: rows,
  };
}

interface Rows {
  readonly start: number;
  readonly length: number;
}

interface Segment extends Rows {
  /** Of the segments that see it whole, in their order. */
  readonly children: Rows[];
}

function keyTilesOf(batch: PackedBatch, rowsPerTile: number) {
  const tiles: number[] = [];
  const ranges: number[] = [];
  for (const segment of segmentsOf(batch)) {
    const firstRange = ranges.length / 4;
    for (const [start, end] of joined([segment, ...segment.children])) ranges.push(start, end, 0, 0);
    for (let first = 0; first < segment.length; first += rowsPerTile) {
      const rows = Math.min(rowsPerTile, segment.length - first);
      tiles.push(segment.start + first, rows, firstRange, ranges.length / 4);
    }
  }
  return { tiles: Int32Array.from(tiles), ranges: Int32Array.from(ranges) };
}

/**
 * [first row, row after the last] of runs of rows, those that follow upon each other as one: a prompt's keys are seen by
 * all of its replies, which lie behind it, so short replies share tiles of queries.
 */
function joined(runs: readonly Rows[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const { start, length } of runs) {
    const before = ranges.at(-1);
    if (before?.[1] === start) before[1] = start + length;
    else ranges.push([start, start + length]);
  }
  return ranges;
}

function segmentsOf({ segments }: PackedBatch): readonly Segment[] {
  const byStart = new Map<number, Segment>();
  for (let s = 0; s < segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = segments.subarray(s, s + 4);
    byStart.set(start, { start, length, children: [] });
    if (parentLength > 0) byStart.get(parentStart)?.children.push({ start, length });
  }
  return [...byStart.values()];
}
