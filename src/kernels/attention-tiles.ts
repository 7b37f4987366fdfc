/**
 * @file The tiles of query rows that attention's forward and query gradient work on. A tile holds rows of one segment, or of
 * several children of one parent that follow upon each other: the tiles of keys inside the parent are then walked once
 * for all of them. No result depends on how rows are cut into tiles.
 */
import type { PackedBatch } from "./packed-batch.ts";

interface Segment {
  readonly index: number;
  readonly parentStart: number;
  readonly parentLength: number;
  readonly start: number;
  readonly length: number;
}

interface Tile {
  readonly row: number;
  rows: number;
  readonly firstSegment: number;
  endSegment: number;
}

/** Whether a segment of `length` rows begins in the tile before it, which has room for `room` rows. */
type Joins = (length: number, room: number) => boolean;

const policies: readonly Joins[] = [() => false, (length, room) => length <= room, () => true];

/** What a tile of at most `narrowRows` rows costs beside one of more, where pipelines have tiles of both kinds. */
const narrowCost = 0.5;

/** Path positions per tile of keys; the portable kernels' smaller tiles cost about the same per position. */
const keyTile = 32;

/**
 * [tiles, 4]: first row, rows (at most `rowsPerTile`), first segment, the segment after the last. Of the ways to cut the
 * children of a parent, the one that walks the fewest tiles of keys: a tile over two children saves a walk over their
 * parent, but may cost one over the first one's own rows.
 */
export function queryTiles({ segments }: PackedBatch, rowsPerTile: number): Int32Array<ArrayBuffer> {
  const tiles: number[] = [];
  for (const run of siblings(segments)) {
    for (const { row, rows, firstSegment, endSegment } of fewestWalks(run, rowsPerTile))
      tiles.push(row, rows, firstSegment, endSegment);
  }
  return Int32Array.from(tiles);
}

/**
 * The same for pipelines of two kinds, those of tiles with at most `narrowRows` rows by themselves: short segments are cut
 * into narrow tiles only, where that costs less.
 */
export function splitQueryTiles({ segments }: PackedBatch, wideRows: number, narrowRows: number): SplitTiles {
  const cost = (tiles: readonly Tile[], run: readonly Segment[]) =>
    tiles.reduce((sum, tile) => sum + walksOf(tile, run) * (tile.rows <= narrowRows ? narrowCost : 1), 0);
  const tables: number[] = [];
  for (const run of siblings(segments)) {
    const wide = fewestWalks(run, wideRows);
    const narrow = fewestWalks(run, narrowRows);
    for (const { row, rows, firstSegment, endSegment } of cost(narrow, run) < cost(wide, run) ? narrow : wide)
      tables.push(row, rows, firstSegment, endSegment);
  }
  return splitTiles(tables, narrowRows);
}

export interface SplitTiles {
  readonly wide: Int32Array<ArrayBuffer>;
  readonly narrow: Int32Array<ArrayBuffer>;
}

/** Tiles, [n, 4] with the number of rows second, by whether they have at most `narrowRows` rows. */
export function splitTiles(tiles: ArrayLike<number>, narrowRows: number): SplitTiles {
  const wide: number[] = [];
  const narrow: number[] = [];
  for (let i = 0; i < tiles.length; i += 4) {
    const tile = [0, 1, 2, 3].map((field) => tiles[i + field] ?? 0);
    ((tile[1] ?? 0) <= narrowRows ? narrow : wide).push(...tile);
  }
  return { wide: Int32Array.from(wide), narrow: Int32Array.from(narrow) };
}

/** Runs of segments that follow upon each other and have the same parent; each root alone. */
function siblings(segments: Int32Array): readonly Segment[][] {
  const runs: Segment[][] = [];
  for (let index = 0; 4 * index < segments.length; index++) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = segments.subarray(4 * index);
    const before = runs.at(-1)?.at(-1);
    const sibling =
      before !== undefined &&
      before.parentLength > 0 &&
      parentLength > 0 &&
      before.parentStart === parentStart;
    const segment = { index, parentStart, parentLength, start, length };
    if (sibling) runs.at(-1)?.push(segment);
    else runs.push([segment]);
  }
  return runs;
}

function fewestWalks(run: readonly Segment[], rowsPerTile: number): readonly Tile[] {
  const [apart, ...joined] = policies.map((joins) => cut(run, rowsPerTile, joins));
  if (apart === undefined || run.length === 1) return apart ?? [];
  return joined.reduce((best, tiles) => (walked(tiles, run) < walked(best, run) ? tiles : best), apart);
}

function cut(run: readonly Segment[], rowsPerTile: number, joins: Joins): readonly Tile[] {
  const tiles: Tile[] = [];
  for (const { index, start, length } of run) {
    const before = tiles.at(-1);
    const room = before === undefined ? 0 : rowsPerTile - before.rows;
    const taken = joins(length, room) ? Math.min(length, room) : 0;
    if (before !== undefined && taken > 0) {
      before.rows += taken;
      before.endSegment = index + 1;
    }
    for (let from = taken; from < length; from += rowsPerTile) {
      const rows = Math.min(rowsPerTile, length - from);
      tiles.push({ row: start + from, rows, firstSegment: index, endSegment: index + 1 });
    }
  }
  return tiles;
}

/** Tiles of keys that these tiles of rows walk. */
const walked = (tiles: readonly Tile[], run: readonly Segment[]): number =>
  tiles.reduce((sum, tile) => sum + walksOf(tile, run), 0);

function walksOf({ row, rows, firstSegment, endSegment }: Tile, run: readonly Segment[]): number {
  const offset = run[0]?.index ?? 0;
  let keys = 0;
  for (const { index, parentLength, start, length } of run.slice(
    firstSegment - offset,
    endSegment - offset,
  )) {
    const positions = parentLength + Math.min(row + rows, start + length) - start;
    const shared = index === firstSegment ? 0 : Math.floor(parentLength / keyTile);
    keys += Math.ceil(positions / keyTile) - shared;
  }
  return keys;
}
