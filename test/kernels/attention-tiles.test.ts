/** @file How query rows are cut into tiles: every row once, siblings together where that saves work. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queryTiles, splitQueryTiles } from "../../src/kernels/attention-tiles.ts";
import type { PackedBatch } from "../../src/kernels/packed-batch.ts";
import { forestOf, forests, siblingForests } from "../support/forests.ts";

interface Tile {
  readonly row: number;
  readonly rows: number;
  readonly segments: readonly { parentStart: number; parentLength: number; start: number; length: number }[];
}

function tilesOf(batch: PackedBatch, rowsPerTile: number): Tile[] {
  const table = queryTiles(batch, rowsPerTile);
  return Array.from({ length: table.length / 4 }, (_, i) => {
    const [row = 0, rows = 0, first = 0, end = 0] = table.subarray(4 * i);
    const segments = Array.from({ length: end - first }, (_, n) => {
      const [parentStart = 0, parentLength = 0, start = 0, length = 0] = batch.segments.subarray(
        4 * (first + n),
      );
      return { parentStart, parentLength, start, length };
    });
    return { row, rows, segments };
  });
}

/** Tiles of 32 keys that a tile of rows loads: of its first path all, of the others those that aren't the parent's. */
function keyTiles({ row, rows, segments }: Tile): number {
  let count = 0;
  segments.forEach(({ parentLength, start, length }, n) => {
    const last = parentLength + Math.min(row + rows, start + length) - start - 1;
    for (let t = 0; t <= last; t += 32) if (n === 0 || t + 32 > parentLength) count++;
  });
  return count;
}

const total = (tiles: readonly Tile[]) => tiles.reduce((sum, tile) => sum + keyTiles(tile), 0);

/** Every segment cut into tiles by itself. */
function apart(batch: PackedBatch, rowsPerTile: number): Tile[] {
  const tiles: Tile[] = [];
  for (let s = 0; s < batch.segments.length; s += 4) {
    const [parentStart = 0, parentLength = 0, start = 0, length = 0] = batch.segments.subarray(s);
    const segments = [{ parentStart, parentLength, start, length }];
    for (let first = 0; first < length; first += rowsPerTile)
      tiles.push({ row: start + first, rows: Math.min(rowsPerTile, length - first), segments });
  }
  return tiles;
}

describe("tiles of query rows", () => {
  it("cover every row once, in order, by segments of one parent, and load no more keys than segments apart", () => {
    fc.assert(
      fc.property(fc.oneof(forests, siblingForests), fc.constantFrom(8, 32), (batch, rowsPerTile) => {
        let row = 0;
        const tiles = tilesOf(batch, rowsPerTile);
        for (const tile of tiles) {
          expect(tile.row).toBe(row);
          expect(tile.rows).toBeLessThanOrEqual(rowsPerTile);
          row += tile.rows;
          const [first] = tile.segments;
          for (const [n, segment] of tile.segments.entries()) {
            expect(segment.start).toBeLessThan(row);
            expect(segment.start + segment.length).toBeGreaterThan(tile.row);
            if (n === 0) continue;
            expect(segment.parentLength).toBeGreaterThan(0);
            expect(segment.parentStart).toBe(first?.parentStart);
          }
          const last = tile.segments.at(-1);
          expect(row).toBeLessThanOrEqual((last?.start ?? 0) + (last?.length ?? 0));
        }
        expect(row).toBe(batch.rows);
        expect(total(tiles)).toBeLessThanOrEqual(total(apart(batch, rowsPerTile)));
      }),
    );
  });

  it("hold several short replies to a long prompt", () => {
    const batch = forestOf([{ prompt: 180, replies: Array<number>(16).fill(13) }]);
    expect(tilesOf(batch, 8)).toHaveLength(23 + 26);
    expect(tilesOf(batch, 32)).toHaveLength(6 + 8);
  });

  it("by themselves where they are narrow, which short segments' are wherever that is cheaper", () => {
    fc.assert(
      fc.property(fc.oneof(forests, siblingForests), (batch) => {
        const { wide, narrow } = splitQueryTiles(batch, 32, 8);
        const rows = [...wide.entries(), ...narrow.entries()].flatMap(([i, row]) =>
          i % 4 === 0 ? [row] : [],
        );
        const counts = (tiles: Int32Array) => [...tiles].filter((_, i) => i % 4 === 1);
        for (const count of counts(wide)) expect(count).toBeGreaterThan(8);
        for (const count of counts(narrow)) expect(count).toBeLessThanOrEqual(8);
        expect(new Set(rows).size).toBe(rows.length);
        const all = [...counts(wide), ...counts(narrow)];
        expect(all.reduce((sum, count) => sum + count, 0)).toBe(batch.rows);
      }),
    );
    const short = forestOf([{ prompt: 4, replies: [6, 6] }]);
    expect(splitQueryTiles(short, 32, 8).wide).toHaveLength(0);
  });

  it("leave sequences apart that have no prompt in common", () => {
    const batch = forestOf([
      { prompt: 0, replies: [3, 3] },
      { prompt: 4, replies: [] },
      { prompt: 40, replies: [2] },
      { prompt: 40, replies: [2] },
    ]);
    for (const { segments } of tilesOf(batch, 32)) expect(segments).toHaveLength(1);
  });
});
