/** @file Columns picked out and added into place, any first and count; a copy keeps every bit. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { addColumns, columns } from "../../src/kernels/columns.ts";
import { copy } from "../../src/kernels/copy.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { readPadded } from "../support/rows.ts";

/** Few workgroups per dimension, so that larger inputs fold the grid. */
const gpu = useGpu({ limits: { maxWorkgroups: 8 } });
const upload = (data: Float32Array, cols: number) => uploadTensor(gpu(), data, cols, "operand");

const ranges = fc
  .record({
    rows: fc.integer({ min: 0, max: 30 }),
    before: fc.integer({ min: 0, max: 20 }),
    count: fc.integer({ min: 1, max: 40 }),
    behind: fc.integer({ min: 0, max: 20 }),
    unit: fc.constantFrom(1, 4),
    scale: fc.constantFrom(undefined, 2, -0.37),
    seed: fc.nat(),
  })
  .map(({ before, count, behind, unit, ...rest }) => ({
    first: unit * before,
    count: unit * count,
    cols: unit * (before + count + behind),
    ...rest,
  }));

it("columns gives exactly the columns times the scale, addColumns adds them and leaves the others", async () => {
  await fc.assert(
    fc.asyncProperty(ranges, async ({ rows, first, count, cols, scale, seed }) => {
      using _ = gpu().scope();
      const factor = Math.fround(scale ?? 1);
      const x = normals(seed, rows * cols);
      const picked = Float32Array.from({ length: rows * count }, (_, i) => {
        return factor * x[Math.floor(i / count) * cols + first + (i % count)]!;
      });
      const options = scale === undefined ? { first, count } : { first, count, scale };
      expect(await readPadded(gpu(), columns(gpu(), upload(x, cols), options))).toEqual(picked);
      const part = normals(seed + 1, rows * count);
      const into = upload(x, cols);
      addColumns(gpu(), upload(part, count), into, options);
      const sums = (await readPadded(gpu(), into)).map((v, i) => v - x[i]!);
      const bound = 1e-5;
      sums.forEach((v, i) => {
        const col = (i % cols) - first;
        const added = col >= 0 && col < count ? factor * part[Math.floor(i / cols) * count + col]! : 0;
        if (added === 0) expect(v).toBe(0);
        else expect(Math.abs(v - added)).toBeLessThan(bound);
      });
    }),
    { numRuns: 25 },
  );
});

it("NaN and Inf come out in their place only, also with a scale of 0", async () => {
  using _ = gpu().scope();
  for (const [first, count] of [
    [4, 4],
    [3, 6],
  ] as const) {
    const x = normals(1, 30);
    x[10 + 5] = Number.NaN;
    x[20 + 6] = Number.NEGATIVE_INFINITY;
    const y = await readPadded(gpu(), columns(gpu(), upload(x, 10), { first, count, scale: 0 }));
    const bad = [...y.keys()].filter((i) => !Number.isFinite(y[i]));
    expect(bad).toEqual([count + 5 - first, 2 * count + 6 - first]);
    const into = upload(new Float32Array(30), 10);
    addColumns(
      gpu(),
      upload(
        x
          .slice(0, 3 * count)
          .fill(1)
          .fill(Number.NaN, 1, 2),
        count,
      ),
      into,
      { first },
    );
    const sums = await readPadded(gpu(), into);
    expect([...sums.keys()].filter((i) => Number.isNaN(sums[i]))).toEqual([first + 1]);
  }
});

it("columns that do not exist are refused", () => {
  using _ = gpu().scope();
  const x = upload(normals(1, 12), 6);
  expect(() => columns(gpu(), x, { first: 4, count: 3 })).toThrow(/columns 4 to 7/);
  expect(() => columns(gpu(), x, { first: -1, count: 2 })).toThrow(/columns/);
  expect(() => addColumns(gpu(), upload(normals(1, 4), 2), x, { first: 5 })).toThrow(/columns 5 to 7/);
  expect(() => addColumns(gpu(), upload(normals(1, 6), 2), x, { first: 0 })).toThrow(/addColumns/);
});

it("copy keeps every bit, and the original", async () => {
  using _ = gpu().scope();
  for (const cols of [1, 5, 64]) {
    const values = normals(cols, 7 * cols);
    values[3] = Number.NaN;
    values[4] = Number.POSITIVE_INFINITY;
    values[5] = -0;
    const x = uploadTensor(gpu(), values, cols, "x", { capacity: 9 });
    const y = copy(gpu(), x);
    expect([y.rows, y.capacity, y.buffer === x.buffer]).toEqual([7, 9, false]);
    expect(await readPadded(gpu(), y)).toEqual(values);
  }
});
