import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import {
  type AttentionOptions,
  attention,
  attentionKernels,
  uploadForest,
} from "../../src/kernels/attention.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../../src/kernels/packed-batch.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { forestAttention } from "../reference/attention.ts";
import {
  forestOf,
  forests,
  gather,
  groupedHeads,
  qkvColumns,
  siblingForests,
  splitHeads,
} from "../support/forests.ts";
import { useGpu } from "../support/gpu.ts";
import { normals, relativeError } from "../support/numbers.ts";

const gpu = useGpu();
const portable = useGpu({ exclude: ["subgroups"], variants: {} });
const shared = useGpu({ variants: { attention: "shared" } });
/** Grids of more than 7 workgroups are folded. */
const narrow = useGpu({ limits: { maxWorkgroups: 7 } });
const compiler = useGpu({ backend: "null" });

async function run(
  on: Gpu,
  qkv: Float32Array,
  batch: PackedBatch,
  options: AttentionOptions,
  tileRows?: number,
  /** In place of the tiles of rows that the batch would be cut into. */
  tiles?: Int32Array,
): Promise<Float32Array> {
  using _ = on.scope();
  const capacity = batch.rows + 3;
  const x = uploadTensor(on, qkv, qkvColumns(options), "qkv", { capacity });
  const tables = uploadForest(on, batch, capacity, tileRows);
  const forest = tiles === undefined ? tables : { ...tables, tiles: uploadTensor(on, tiles, 4, "tiles") };
  return readTensor(on, attention(on, x, forest, options));
}

function reference(qkv: Float32Array, batch: PackedBatch, options: AttentionOptions): Float64Array {
  const { q, k, v } = splitHeads(qkv, options);
  return forestAttention(q, k, v, options, batch).out;
}

const headDim = fc.constantFrom(4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 34, 48);
/** Those of CPU adapters and of GPUs among them. */
const rowsPerTile = fc.constantFrom(8, 32, 64);
const shape = fc.record({ batch: forests, heads: groupedHeads, headDim, seed: fc.nat() });

describe("attention", () => {
  it.each([
    ["", gpu],
    ["in workgroup memory", shared],
  ])(
    "equals float64 over random forests and heads, and each sequence alone bit for bit %s",
    async (_, device) => {
      await fc.assert(
        fc.asyncProperty(shape, rowsPerTile, async ({ batch, heads, headDim, seed }, tileRows) => {
          const options = { ...heads, headDim, scale: 1 / Math.sqrt(headDim) };
          const qkv = normals(seed, batch.rows * qkvColumns(options));
          const packed = await run(device(), qkv, batch, options, tileRows);
          expect(relativeError(packed, reference(qkv, batch, options))).toBeLessThan(1e-5);
          for (let n = 0; n < batch.sequenceSegments.length; n++) {
            const rows = Array.from({ length: sequenceLength(batch, n) }, (_, p) => rowOf(batch, n, p));
            const alone = forestOf([{ prompt: rows.length, replies: [] }]);
            const own = await run(device(), gather(qkv, qkvColumns(options), rows), alone, options);
            expect(own).toEqual(gather(packed, options.heads * headDim, rows));
          }
        }),
        { numRuns: 20 },
      );
    },
  );

  it.each([
    ["with subgroups", gpu],
    ["without", portable],
    ["in workgroup memory", shared],
  ])("replies that share tiles of rows keep the bits that they have alone, %s", async (_, device) => {
    const options = { heads: 2, kvHeads: 1, headDim: 8, scale: 0.35 };
    await fc.assert(
      fc.asyncProperty(siblingForests, rowsPerTile, fc.nat(), async (batch, tileRows, seed) => {
        const qkv = normals(seed, batch.rows * qkvColumns(options));
        const packed = await run(device(), qkv, batch, options, tileRows);
        expect(relativeError(packed, reference(qkv, batch, options))).toBeLessThan(1e-5);
        for (let n = 0; n < batch.sequenceSegments.length; n++) {
          const rows = Array.from({ length: sequenceLength(batch, n) }, (_, p) => rowOf(batch, n, p));
          const alone = forestOf([{ prompt: rows.length, replies: [] }]);
          const own = await run(device(), gather(qkv, qkvColumns(options), rows), alone, options, tileRows);
          expect(own).toEqual(gather(packed, 16, rows));
        }
      }),
      { numRuns: 12 },
    );
  });

  it("NaN in a reply's key or value does not reach the others of its tile", async () => {
    const options = { heads: 1, kvHeads: 1, headDim: 8, scale: 0.3 };
    for (const prompt of [5, 7, 24]) {
      const batch = forestOf([{ prompt, replies: [3, 2, 3] }]);
      const clean = normals(8, batch.rows * 24);
      const tiles = Int32Array.of(0, prompt, 0, 1, prompt, 8, 1, 4);
      for (const column of [8, 16]) {
        const qkv = clean.slice();
        qkv[(prompt + 3) * 24 + column] = Number.NaN;
        for (const on of [gpu(), portable(), shared()]) {
          const before = await run(on, clean, batch, options);
          const out = await run(on, qkv, batch, options, 32, tiles);
          const reached = [prompt + 3, prompt + 4];
          for (let t = 0; t < batch.rows; t++) {
            const values = out.subarray(t * 8, t * 8 + 8);
            if (reached.includes(t)) expect(values.some(Number.isNaN), `row ${t}`).toBe(true);
            else expect(values, `row ${t}`).toEqual(before.subarray(t * 8, t * 8 + 8));
          }
        }
      }
    }
  });

  it.each([80, 96, 102, 128, 254, 256])("takes heads of %i columns", async (headDim) => {
    const options = { heads: 2, kvHeads: 1, headDim, scale: 1 / Math.sqrt(headDim) };
    const batch = forestOf([{ prompt: 19, replies: [5, 17] }]);
    const qkv = normals(headDim, batch.rows * qkvColumns(options));
    for (const on of [gpu(), shared()]) {
      const out = await run(on, qkv, batch, options);
      expect(relativeError(out, reference(qkv, batch, options))).toBeLessThan(1e-5);
    }
  });

  it("gives the same bits whatever the tiles of rows and the grid", async () => {
    const options = { heads: 2, kvHeads: 1, headDim: 8, scale: 0.3 };
    const batch = forestOf([{ prompt: 37, replies: [5, 70] }]);
    const qkv = normals(3, batch.rows * qkvColumns(options));
    const out = await run(gpu(), qkv, batch, options, 8);
    expect(await run(gpu(), qkv, batch, options, 32)).toEqual(out);
    expect(await run(narrow(), qkv, batch, options, 8)).toEqual(out);
    const byWorkgroup = await run(shared(), qkv, batch, options, 8);
    for (const tileRows of [12, 32, 64])
      expect(await run(shared(), qkv, batch, options, tileRows)).toEqual(byWorkgroup);
  });

  it.each([6, 12, 48, 100, 132])(
    "wide and narrow tiles give equal bits with heads of %i columns",
    async (headDim) => {
      const options = { heads: 2, kvHeads: 1, headDim, scale: 0.2 };
      const batch = forestOf([
        { prompt: 37, replies: [5, 41] },
        { prompt: 3, replies: [] },
        { prompt: 6, replies: [2, 20] },
      ]);
      const qkv = normals(headDim, batch.rows * qkvColumns(options));
      const out = await run(gpu(), qkv, batch, options);
      expect(relativeError(out, reference(qkv, batch, options))).toBeLessThan(1e-5);
      for (const tileRows of [8, 32]) expect(await run(gpu(), qkv, batch, options, tileRows)).toEqual(out);
    },
  );

  it("in workgroup memory: paths of many tiles, and heads of one group in one workgroup", async () => {
    const batch = forestOf([
      { prompt: 131, replies: [3, 70, 1] },
      { prompt: 1, replies: [] },
    ]);
    for (const [heads, kvHeads, headDim] of [
      [5, 1, 20],
      [4, 2, 64],
      [8, 1, 4],
    ] as const) {
      const options = { heads, kvHeads, headDim, scale: 0.3 };
      const qkv = normals(headDim, batch.rows * qkvColumns(options));
      for (const tileRows of [8, 64]) {
        const out = await run(shared(), qkv, batch, options, tileRows);
        expect(relativeError(out, reference(qkv, batch, options))).toBeLessThan(1e-5);
      }
    }
  });

  it("runs without subgroups", async () => {
    for (const headDim of [6, 8]) {
      const options = { heads: 4, kvHeads: 2, headDim, scale: 0.3 };
      const batch = forestOf([
        { prompt: 21, replies: [5, 30] },
        { prompt: 3, replies: [] },
      ]);
      const qkv = normals(4, batch.rows * qkvColumns(options));
      const out = await run(portable(), qkv, batch, options);
      expect(relativeError(out, reference(qkv, batch, options))).toBeLessThan(1e-5);
    }
  });

  it("stays right with large logits", async () => {
    const options = { heads: 2, kvHeads: 2, headDim: 8, scale: 30 };
    const batch = forestOf([{ prompt: 40, replies: [10, 20] }]);
    const qkv = normals(5, batch.rows * qkvColumns(options));
    const out = await run(gpu(), qkv, batch, options);
    expect(out.every(Number.isFinite)).toBe(true);
    // Logits of several hundred carry an absolute error of a few 1e-5, and so do the weights.
    expect(relativeError(out, reference(qkv, batch, options))).toBeLessThan(1e-4);
  });

  it.each([
    ["NaN in a query", Number.NaN, 0],
    ["NaN in a key", Number.NaN, 1],
    ["NaN in a value", Number.NaN, 2],
    ["infinity in a value", Number.POSITIVE_INFINITY, 2],
  ])("%s shows from its row on, and nowhere else", async (_, poison, part) => {
    for (const device of [gpu, shared]) await expectPoison(device(), poison, part);
  });

  async function expectPoison(on: Gpu, poison: number, part: number): Promise<void> {
    const options = { heads: 1, kvHeads: 1, headDim: 8, scale: 0.3 };
    // The prompt's rows 0..19; replies in rows 20..34 and 35..44; another sequence in rows 45..59.
    const batch = forestOf([
      { prompt: 20, replies: [15, 10] },
      { prompt: 15, replies: [] },
    ]);
    const clean = normals(6, batch.rows * 24);
    const before = await run(on, clean, batch, options);
    for (const row of [10, 25, 45]) {
      const qkv = clean.slice();
      qkv[row * 24 + part * 8 + 3] = poison;
      const out = await run(on, qkv, batch, options);
      for (let t = 0; t < batch.rows; t++) {
        const sameTree = t < 45 === row < 45;
        const reply = (r: number) => (r < 20 ? "prompt" : r < 35 ? "first" : "second");
        const samePath = sameTree && (row < 20 || row >= 45 || reply(t) === reply(row));
        const seesIt = part === 0 ? t === row : samePath && t >= row;
        const values = out.subarray(t * 8, t * 8 + 8);
        if (seesIt)
          expect(
            values.some((v) => !Number.isFinite(v)),
            `row ${t} of ${row}`,
          ).toBe(true);
        else expect(values, `row ${t} of ${row}`).toEqual(before.subarray(t * 8, t * 8 + 8));
      }
    }
  }

  it("writes zeros into the padding of its rows", async () => {
    using _ = gpu().scope();
    const options = { heads: 1, kvHeads: 1, headDim: 6, scale: 1 };
    const batch = forestOf([{ prompt: 9, replies: [] }]);
    const x = uploadTensor(gpu(), normals(7, 9 * 18), 18, "qkv");
    // The pool hands this buffer to the output, unless the kernel's own zeros replace its ones.
    const dirt = uploadTensor(gpu(), new Float32Array(9 * 8).fill(1), 8, "dirt", { persistent: true });
    gpu().release(dirt.buffer);
    const y = attention(gpu(), x, uploadForest(gpu(), batch, 9), options);
    const raw = new Float32Array(await gpu().read(y.buffer, 0, 9 * y.rowBytes));
    for (let t = 0; t < 9; t++) expect([...raw.subarray(t * 8 + 6, t * 8 + 8)]).toEqual([0, 0]);
  });

  it("compiles in every variant", async () => {
    await compiler().pipelines.warm(attentionKernels);
  });
});
