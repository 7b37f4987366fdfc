/** @file Gradients of look-ups: rows summed by id in a fixed order, hot ids, windows, a skipped id; NaN and Inf. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { embeddingGradient, gatherRowsGradient } from "../../src/kernels/embedding-gradient.ts";
import { uploadRowGroups } from "../../src/kernels/row-groups.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import * as reference from "../reference/layer-gradients.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";
import { readPadded } from "../support/rows.ts";

const gpu = useGpu();
/** Tables over 2 KiB go in windows; more than three workgroups fold the grid. */
const narrow = useGpu({ limits: { maxBinding: 2048, maxWorkgroups: 3 } });

const shapes = fc.record({
  vocabulary: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 30 }),
  rows: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 100, max: 500 })),
  skip: fc.option(fc.nat({ max: 39 }), { nil: undefined }),
  seed: fc.nat(),
});

/** Some ids come up often, as words do. */
const idsOf = (seed: number, rows: number, vocabulary: number) =>
  Int32Array.from(normals(seed, rows), (v) => Math.min(vocabulary - 1, Math.floor(Math.abs(v) ** 3)));

it("adds each id's rows, the same bits each time, and leaves other ids alone", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ vocabulary, width, rows, skip, seed }) => {
      using _ = gpu().scope();
      const ids = idsOf(seed, rows, vocabulary);
      const dy = normals(seed + 1, rows * width);
      const start = normals(seed + 2, vocabulary * width);
      const run = async () => {
        const into = uploadTensor(gpu(), start, width, "into");
        const groups = uploadRowGroups(gpu(), ids, { capacity: 600, skip });
        embeddingGradient(gpu(), uploadTensor(gpu(), dy, width, "dy"), groups, into);
        return readPadded(gpu(), into);
      };
      const sums = reference.embeddingGradient(dy, ids, vocabulary, width, skip);
      const d = await run();
      expect(
        relativeError(
          d,
          sums.map((v, i) => v + start[i]!),
        ),
      ).toBeLessThan(1e-6);
      expect(await run()).toEqual(d);
      d.forEach((v, i) => {
        const id = Math.floor(i / width);
        if (id === skip || !ids.includes(id)) expect(v).toBe(start[i]);
      });
    }),
    { numRuns: 20 },
  );
});

describe("in windows and folded grids", () => {
  it("adds each id's rows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.nat(), async (quads, seed) => {
        using _ = narrow().scope();
        const [vocabulary, rows, width] = [200, 16, 4 * quads];
        const ids = Int32Array.from(normals(seed, rows), (v) => Math.floor(1e6 * Math.abs(v)) % vocabulary);
        const dy = normals(seed + 1, rows * width);
        const into = uploadTensor(narrow(), new Float32Array(vocabulary * width), width, "into");
        embeddingGradient(
          narrow(),
          uploadTensor(narrow(), dy, width, "dy"),
          uploadRowGroups(narrow(), ids),
          into,
        );
        const expected = reference.embeddingGradient(dy, ids, vocabulary, width);
        expect(relativeError(await readTensor(narrow(), into), expected)).toBeLessThan(1e-6);
      }),
      { numRuns: 8 },
    );
  });
});

it("sums an id of 64 rows at once and one of 65 in chunks, in row order", async () => {
  for (const rows of [1, 63, 64, 65, 128, 129, 400]) {
    using _ = gpu().scope();
    const dy = normals(rows, rows);
    const into = uploadTensor(gpu(), new Float32Array(3), 1, "into");
    const groups = uploadRowGroups(gpu(), new Int32Array(rows).fill(1));
    embeddingGradient(gpu(), uploadTensor(gpu(), dy, 1, "dy"), groups, into);
    let total = Math.fround(0);
    for (let at = 0; at < rows; at += 64) {
      let sum = Math.fround(0);
      for (const v of dy.subarray(at, at + 64)) sum = Math.fround(sum + v);
      total = Math.fround(total + sum);
    }
    expect(await readTensor(gpu(), into)).toEqual(Float32Array.of(0, total, 0));
  }
});

it("gatherRowsGradient writes zeros where nothing was gathered, or adds; rows may be gathered several times", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 30 }),
      fc.boolean(),
      fc.nat(),
      async (rows, width, picks, into, seed) => {
        using _ = gpu().scope();
        const ids = Int32Array.from(normals(seed, picks), (v) => Math.floor(1e6 * Math.abs(v)) % rows);
        const dy = normals(seed + 1, picks * width);
        const start = normals(seed + 2, rows * width);
        // Leaves something behind in the pool, which a new gradient must not keep.
        const used = gpu().allocate(4 * 60 * 12, "used");
        gpu().write(used, 0, new Float32Array(60 * 12).fill(7));
        _.release(used);
        const d = gatherRowsGradient(
          gpu(),
          uploadTensor(gpu(), dy, width, "dy"),
          uploadRowGroups(gpu(), ids),
          { rows, capacity: 60 },
          into ? uploadTensor(gpu(), start, width, "d") : undefined,
        );
        const sums = reference.embeddingGradient(dy, ids, rows, width);
        expect(
          relativeError(
            await readPadded(gpu(), d),
            sums.map((v, i) => v + (into ? start[i]! : 0)),
          ),
        ).toBeLessThan(1e-6);
      },
    ),
    { numRuns: 15 },
  );
});

it("NaN and Inf come out in their id and column only", async () => {
  const [vocabulary, width, rows] = [4, 5, 200];
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    using _ = gpu().scope();
    const ids = Int32Array.from({ length: rows }, (_, i) => (i < 150 ? 2 : i % vocabulary));
    const dy = normals(1, rows * width);
    dy[100 * width + 3] = bad;
    const into = uploadTensor(gpu(), new Float32Array(vocabulary * width), width, "into");
    embeddingGradient(gpu(), uploadTensor(gpu(), dy, width, "dy"), uploadRowGroups(gpu(), ids), into);
    (await readPadded(gpu(), into)).forEach((v, i) => {
      expect(Number.isFinite(v), `${bad}, value ${i}`).toBe(i !== 2 * width + 3);
    });
  }
});

it("ids outside of the table and shapes that do not fit are refused", () => {
  using _ = gpu().scope();
  const t = (rows: number, cols: number) => uploadTensor(gpu(), normals(1, rows * cols), cols, "t");
  const groups = uploadRowGroups(gpu(), Int32Array.of(0, 5));
  expect(() => embeddingGradient(gpu(), t(2, 3), groups, t(5, 3))).toThrow(/id 5 lies outside of t/);
  expect(() => embeddingGradient(gpu(), t(3, 3), groups, t(6, 3))).toThrow(/embeddingGradient dy/);
  expect(() => uploadRowGroups(gpu(), Int32Array.of(1, -2))).toThrow(/row 1 has the id -2/);
});
