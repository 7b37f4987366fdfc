/** @file The arenas: values kept, zeros between, views and pieces that may be bound. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { arenaRoles, ParameterArena, type ParameterSpec } from "../../src/tensor/parameters.ts";
import { bind, rowWindows } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const gpu = useGpu();
const maxBinding = 65_536;
const small = useGpu({ limits: { maxBinding } });

const specs = fc
  .array(
    fc.record({
      rows: fc.integer({ min: 1, max: 300 }),
      cols: fc.integer({ min: 1, max: 90 }),
      decay: fc.boolean(),
      group: fc.constantFrom("base", "head"),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map((spec, i): ParameterSpec => ({ name: `p${i}`, ...spec })));

it("keeps every value of every arena, also past a binding's limit, and holds zeros elsewhere", async () => {
  await fc.assert(
    fc.asyncProperty(specs, fc.nat(), async (list, seed) => {
      using arena = new ParameterArena(small(), list);
      const values = (role: number, i: number, n: number) => normals(seed + 10 * i + role, n);
      for (const [i, { name, rows, cols }] of list.entries()) {
        expect([...(await arena.read("m", name))].every((v) => v === 0)).toBe(true);
        for (const [r, role] of arenaRoles.entries()) arena.write(role, name, values(r, i, rows * cols));
      }
      for (const [i, { name, rows, cols }] of list.entries()) {
        for (const [r, role] of arenaRoles.entries()) {
          expect(await arena.read(role, name)).toEqual(values(r, i, rows * cols));
        }
      }
      let nonzero = 0;
      const inRanges = new Map<string, number>();
      for (const piece of arena.pieces) {
        const { buffer, offset = 0, size = 0 } = piece.binding("master");
        expect(size).toBe(piece.bytes);
        expect(size).toBeLessThanOrEqual(maxBinding);
        expect(offset % small().facts.limits.offsetAlignment).toBe(0);
        const words = new Float32Array(await small().read(buffer, offset, size));
        nonzero += words.filter((v) => v !== 0).length;
        let covered = 0;
        for (const range of piece.ranges) {
          const bound = range.binding("master");
          expect(bound).toEqual({ buffer, offset: offset + covered, size: range.bytes });
          expect((bound.offset ?? 0) % small().facts.limits.offsetAlignment).toBe(0);
          const own = words.subarray(covered / 4, (covered + range.bytes) / 4).filter((v) => v !== 0).length;
          const key = `${range.group} ${range.decay}`;
          inRanges.set(key, (inRanges.get(key) ?? 0) + own);
          covered += range.bytes;
        }
        expect(covered).toBe(piece.bytes);
      }
      const count = (some: readonly ParameterSpec[]) => some.reduce((sum, s) => sum + s.rows * s.cols, 0);
      expect(nonzero).toBe(count(list));
      for (const group of ["base", "head"]) {
        for (const decay of [true, false]) {
          const own = list.filter((s) => s.group === group && s.decay === decay);
          expect(inRanges.get(`${group} ${decay}`) ?? 0).toBe(count(own));
        }
      }
    }),
    { numRuns: 10 },
  );
});

it("views start where they may be bound, and windows of a large one follow its offset", () => {
  using arena = new ParameterArena(small(), [
    { name: "bias", rows: 1, cols: 3, decay: false },
    { name: "norm", rows: 1, cols: 5, decay: false },
    { name: "table", rows: 300, cols: 64 },
  ]);
  const norm = arena.param("norm");
  expect(bind(small(), norm)).toEqual({ buffer: norm.buffer, offset: norm.offset, size: 32 });
  expect(norm.offset).toBeGreaterThan(0);
  const windows = rowWindows(small(), arena.param("table"));
  expect(windows.length).toBeGreaterThan(1);
  expect(windows.reduce((sum, w) => sum + w.rows, 0)).toBe(300);
});

it("clear sets one arena to zero and leaves the others", async () => {
  using arena = new ParameterArena(gpu(), [{ name: "w", rows: 2, cols: 3 }]);
  for (const role of arenaRoles) arena.write(role, "w", Float32Array.of(1, 2, 3, 4, 5, 6));
  arena.clear("gradient");
  expect(await arena.read("gradient", "w")).toEqual(new Float32Array(6));
  expect(await arena.read("master", "w")).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
});

it("refuses empty, repeated and unknown parameters by name", async () => {
  using idle = await openGpu({ backend: "null" });
  expect(() => new ParameterArena(idle, [{ name: "w", rows: 0, cols: 3 }])).toThrow(/w is empty/);
  const twice = { name: "w", rows: 1, cols: 3 };
  expect(() => new ParameterArena(idle, [twice, twice])).toThrow(/w is listed twice/);
  using arena = new ParameterArena(idle, [twice]);
  expect(() => arena.param("v")).toThrow(/no trainable parameter v/);
  expect(() => arena.write("m", "w", new Float32Array(4))).toThrow(/m of w/);
});
