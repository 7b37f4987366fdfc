import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rotary, rotaryBackward, rotaryTables } from "../../src/kernels/rotary.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { ropeFrequencies, rotate } from "../reference/rope.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();

const llama3 = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 128 };

function upload(headDim: number, theta: number, positions: number) {
  const { cos, sin } = rotaryTables({ theta, headDim }, positions);
  return {
    cos: uploadTensor(gpu(), cos, headDim / 2, "cos"),
    sin: uploadTensor(gpu(), sin, headDim / 2, "sin"),
  };
}

describe("rotaryTables", () => {
  it.each([
    ["plain", undefined],
    ["rescaled as in Llama 3", llama3],
  ])("are the %s angles in float64, rounded once", (_, scaling) => {
    const rope = {
      theta: 5e5,
      ...(scaling === undefined ? {} : { scaling: { ...scaling, type: "llama3" as const } }),
    };
    const { cos, sin } = rotaryTables({ ...rope, headDim: 20 }, 700);
    const frequencies = ropeFrequencies(20, rope);
    let worst = 0;
    for (let p = 0; p < 700; p++) {
      frequencies.forEach((frequency, i) => {
        const at = p * 10 + i;
        worst = Math.max(worst, Math.abs(cos[at]! - Math.cos(p * frequency)));
        worst = Math.max(worst, Math.abs(sin[at]! - Math.sin(p * frequency)));
      });
    }
    expect(worst).toBeLessThan(2 ** -24);
  });
});

describe("rotary", () => {
  it("rotates its heads and leaves the other columns untouched", async () => {
    const shape = fc.record({
      rows: fc.integer({ min: 0, max: 30 }),
      heads: fc.integer({ min: 1, max: 4 }),
      headDim: fc.integer({ min: 1, max: 20 }).map((n) => 2 * n),
      before: fc.integer({ min: 0, max: 9 }),
      after: fc.integer({ min: 0, max: 9 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, heads, headDim, before, after, seed }) => {
        using _ = gpu().scope();
        const cols = before + heads * headDim + after;
        const values = normals(seed, rows * cols);
        const at = Int32Array.from({ length: rows }, (_, t) => (t * 31 + seed) % 50);
        const x = uploadTensor(gpu(), values, cols, "x");
        rotary(gpu(), x, {
          heads,
          firstCol: before,
          headDim,
          tables: upload(headDim, 1e4, 50),
          positions: uploadTensor(gpu(), at, 1, "positions", { capacity: 33 }),
        });
        const expected = Float64Array.from(values);
        const frequencies = ropeFrequencies(headDim, { theta: 1e4 });
        for (let t = 0; t < rows; t++) {
          const begin = t * cols + before;
          const head = Float64Array.from(values.subarray(begin, begin + heads * headDim));
          expected.set(rotate(head, [at[t]!], frequencies), begin);
        }
        const out = await readTensor(gpu(), x);
        expect(relativeError(out, expected)).toBeLessThan(1e-6);
      }),
      { numRuns: 20 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("keeps %d within its pair", async (poison) => {
    using _ = gpu().scope();
    const values = normals(1, 3 * 16);
    const positions = uploadTensor(gpu(), Int32Array.of(4, 5, 6), 1, "positions");
    const options = { heads: 2, firstCol: 0, headDim: 8, tables: upload(8, 1e4, 10), positions };
    const clean = uploadTensor(gpu(), values, 16, "clean");
    rotary(gpu(), clean, options);
    const expected = await readTensor(gpu(), clean);
    values[16 + 9] = poison;
    const x = uploadTensor(gpu(), values, 16, "x");
    rotary(gpu(), x, options);
    (await readTensor(gpu(), x)).forEach((v, i) => {
      if (i === 16 + 9 || i === 16 + 13) expect(Number.isFinite(v)).toBe(false);
      else expect(v).toBe(expected[i]);
    });
  });

  it("gives a row the same bits alone as in a batch", async () => {
    using _ = gpu().scope();
    const values = normals(2, 40 * 24);
    const at = Int32Array.from({ length: 40 }, (_, t) => t % 17);
    const rotated = async (x: Float32Array, positions: Int32Array) => {
      const tensor = uploadTensor(gpu(), x, 24, "x");
      const options = { heads: 2, firstCol: 4, headDim: 8, tables: upload(8, 1e4, 17) };
      rotary(gpu(), tensor, { ...options, positions: uploadTensor(gpu(), positions, 1, "positions") });
      return readTensor(gpu(), tensor);
    };
    const batch = await rotated(values, at);
    for (const t of [0, 13, 39]) {
      const alone = await rotated(values.slice(t * 24, t * 24 + 24), at.slice(t, t + 1));
      expect(alone).toEqual(batch.slice(t * 24, t * 24 + 24));
    }
  });
});

it("rotaryBackward is the rotation's transpose, in any columns", async () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 30 }),
    heads: fc.integer({ min: 1, max: 4 }),
    headDim: fc.integer({ min: 1, max: 20 }).map((n) => 2 * n),
    before: fc.integer({ min: 0, max: 9 }),
    after: fc.integer({ min: 0, max: 9 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, heads, headDim, before, after, seed }) => {
      using _ = gpu().scope();
      const cols = before + heads * headDim + after;
      const dy = normals(seed, rows * cols);
      const at = Int32Array.from({ length: rows }, (_, t) => (t * 31 + seed) % 50);
      const dx = uploadTensor(gpu(), dy, cols, "dx");
      rotaryBackward(gpu(), dx, {
        heads,
        firstCol: before,
        headDim,
        tables: upload(headDim, 1e4, 50),
        positions: uploadTensor(gpu(), at, 1, "positions"),
      });
      const frequencies = ropeFrequencies(headDim, { theta: 1e4 });
      // Column c of the gradient is dy times the rotated unit vector of that column.
      const expected = Float64Array.from(dy);
      for (let t = 0; t < rows; t++) {
        for (let h = 0; h < heads; h++) {
          const begin = t * cols + before + h * headDim;
          for (let c = 0; c < headDim; c++) {
            const unit = Float64Array.from({ length: headDim }, (_, i) => (i === c ? 1 : 0));
            expected[begin + c] = rotate(unit, [at[t]!], frequencies).reduce(
              (sum, value, i) => sum + value * dy[begin + i]!,
              0,
            );
          }
        }
      }
      expect(relativeError(await readTensor(gpu(), dx), expected)).toBeLessThan(1e-6);
    }),
    { numRuns: 10 },
  );
});
