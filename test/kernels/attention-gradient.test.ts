/** @file Attention's backward over random forests against float64, its order of sums, NaN and Inf. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Gpu } from "../../src/gpu/gpu.ts";
import {
  type AttentionOptions,
  attention,
  attentionWithLse,
  uploadForest,
} from "../../src/kernels/attention.ts";
import {
  attentionBackward,
  attentionGradientKernels,
  uploadForestGradient,
} from "../../src/kernels/attention-gradient.ts";
import { type PackedBatch, rowOf, sequenceLength } from "../../src/kernels/packed-batch.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { forestAttention, forestAttentionGradient } from "../reference/attention.ts";
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
const shared = useGpu({
  variants: { attention: "shared", attention_key_gradient: "shared", attention_query_gradient: "shared" },
});
/** Grids of more than 7 workgroups are folded. */
const narrow = useGpu({ limits: { maxWorkgroups: 7 } });
const compiler = useGpu({ backend: "null" });

interface Inputs {
  readonly qkv: Float32Array;
  readonly dy: Float32Array;
  readonly batch: PackedBatch;
  readonly options: AttentionOptions;
}

function inputs(seed: number, batch: PackedBatch, options: AttentionOptions): Inputs {
  const qkv = normals(seed, batch.rows * qkvColumns(options));
  const dy = normals(seed + 1, batch.rows * options.heads * options.headDim);
  return { qkv, dy, batch, options };
}

/** @param tiles in place of the tiles of query rows that the batch would be cut into */
async function run(on: Gpu, { qkv, dy, batch, options }: Inputs, tileRows?: number, tiles?: Int32Array) {
  using _ = on.scope();
  const capacity = batch.rows + 3;
  const own = uploadForest(on, batch, capacity, tileRows);
  const forest = tiles === undefined ? own : { ...own, tiles: uploadTensor(on, tiles, 4, "tiles") };
  const x = uploadTensor(on, qkv, qkvColumns(options), "qkv", { capacity });
  const g = uploadTensor(on, dy, options.heads * options.headDim, "dy", { capacity });
  const plain = attention(on, x, forest, options);
  const { y, lse } = attentionWithLse(on, x, forest, options);
  const tables = uploadForestGradient(on, batch, capacity, tileRows);
  const dqkv = attentionBackward(on, { dy: g, qkv: x, y, lse }, forest, tables, options);
  return {
    plain: await readTensor(on, plain),
    y: await readTensor(on, y),
    lse: await readTensor(on, lse),
    dqkv: await readTensor(on, dqkv),
  };
}

/** dq, dk and dv side by side. */
function reference({ qkv, dy, batch, options }: Inputs): Float64Array {
  const { q, k, v } = splitHeads(qkv, options);
  const { dq, dk, dv } = forestAttentionGradient(dy, q, k, v, options, batch);
  const out = new Float64Array(qkv.length);
  const [own, shared, cols] = [q.length / batch.rows, k.length / batch.rows, qkvColumns(options)];
  for (let t = 0; t < batch.rows; t++) {
    out.set(dq.subarray(t * own, (t + 1) * own), t * cols);
    out.set(dk.subarray(t * shared, (t + 1) * shared), t * cols + own);
    out.set(dv.subarray(t * shared, (t + 1) * shared), t * cols + own + shared);
  }
  return out;
}

const shape = fc.record({
  batch: forests,
  heads: groupedHeads,
  headDim: fc.constantFrom(2, 6, 8, 12, 36, 64),
  seed: fc.nat(),
});

describe.each([
  ["with subgroups", gpu, 15],
  ["without", portable, 8],
  ["in workgroup memory", shared, 15],
] as const)("attention's backward %s", (_, device, numRuns) => {
  it("equals float64 over random forests and heads; the forward keeps its bits and the denominators", async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ batch, heads, headDim, seed }) => {
        const given = inputs(seed, batch, { ...heads, headDim, scale: 1 / Math.sqrt(headDim) });
        const { plain, y, lse, dqkv } = await run(device(), given);
        expect(y).toEqual(plain);
        const { q, k, v } = splitHeads(given.qkv, given.options);
        const { logSumExp } = forestAttention(q, k, v, given.options, batch);
        expect(relativeError(lse, logSumExp)).toBeLessThan(1e-5);
        expect(relativeError(dqkv, reference(given))).toBeLessThan(1e-5);
      }),
      { numRuns },
    );
  });

  it("gives queries of replies that share tiles of rows the bits that they have alone", async () => {
    const options = { heads: 2, kvHeads: 1, headDim: 8, scale: 0.35 };
    const [columns, queries] = [qkvColumns(options), 16];
    await fc.assert(
      fc.asyncProperty(
        siblingForests,
        fc.constantFrom(8, 32, 64),
        fc.nat(),
        async (batch, tileRows, seed) => {
          const given = inputs(seed, batch, options);
          const { dqkv } = await run(device(), given, tileRows);
          expect(relativeError(dqkv, reference(given))).toBeLessThan(1e-5);
          const dqOf = (all: Float32Array, rows: readonly number[]) =>
            rows.map((row) => all.slice(row * columns, row * columns + queries));
          for (let n = 0; n < batch.sequenceSegments.length; n++) {
            const rows = Array.from({ length: sequenceLength(batch, n) }, (_, p) => rowOf(batch, n, p));
            const own = {
              qkv: gather(given.qkv, columns, rows),
              dy: gather(given.dy, queries, rows),
              batch: forestOf([{ prompt: rows.length, replies: [] }]),
              options,
            };
            const alone = await run(device(), own, tileRows);
            expect(dqOf(alone.dqkv, [...rows.keys()])).toEqual(dqOf(dqkv, rows));
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it("keeps the bits where short replies share tiles of rows, whatever the length of their prompt", async () => {
    const options = { heads: 2, kvHeads: 1, headDim: 8, scale: 0.35 };
    for (const prompt of [1, 3, 7, 16, 30]) {
      const given = inputs(prompt, forestOf([{ prompt, replies: [3, 1, 4] }]), options);
      const tiles = Int32Array.of(0, prompt, 0, 1, prompt, 8, 1, 4);
      expect(await run(device(), given, 32, tiles)).toEqual(await run(device(), given, 8));
    }
  });
});

const defaults = [
  ["by default", gpu],
  ["in workgroup memory", shared],
] as const;

describe("attention's backward", () => {
  it.each(defaults)(
    "sums over a list of many replies, and over one longer than a tile %s",
    async (_, device) => {
      const batch = forestOf([
        { prompt: 17, replies: Array.from({ length: 40 }, (_, i) => 1 + (i % 5)) },
        { prompt: 1, replies: [1, 70] },
        { prompt: 0, replies: [1] },
      ]);
      const given = inputs(2, batch, { heads: 4, kvHeads: 2, headDim: 8, scale: 0.3 });
      for (const tileRows of [8, 64])
        expect(relativeError((await run(device(), given, tileRows)).dqkv, reference(given))).toBeLessThan(
          1e-5,
        );
    },
  );

  it("walks a prompt's queries and those of its replies as one run of rows", () => {
    const batch = forestOf([
      { prompt: 17, replies: [1, 2, 3] },
      { prompt: 0, replies: [5] },
    ]);
    using _ = gpu().scope();
    expect(uploadForestGradient(gpu(), batch, batch.rows).ranges.rows).toBe(batch.segments.length / 4);
  });

  it.each([100, 128, 256])("takes heads of %i columns", async (headDim) => {
    const batch = forestOf([{ prompt: 19, replies: [5, 17] }]);
    const given = inputs(9, batch, { heads: 2, kvHeads: 1, headDim, scale: 0.09 });
    for (const on of [gpu(), shared()])
      expect(relativeError((await run(on, given)).dqkv, reference(given))).toBeLessThan(1e-5);
  });

  it.each(defaults)(
    "gives the same bits whatever the tiles of rows, the grid and the batch %s",
    async (_, device) => {
      const options = { heads: 2, kvHeads: 1, headDim: 8, scale: 0.3 };
      const tree = { prompt: 37, replies: [5, 70] };
      const given = inputs(3, forestOf([tree]), options);
      const { dqkv } = await run(device(), given, 8);
      for (const tileRows of [32, 64]) expect((await run(device(), given, tileRows)).dqkv).toEqual(dqkv);
      if (device === gpu) expect((await run(narrow(), given, 8)).dqkv).toEqual(dqkv);
      const batch = forestOf([{ prompt: 21, replies: [3] }, tree]);
      const more = inputs(4, batch, options);
      more.qkv.set(given.qkv, 24 * qkvColumns(options));
      more.dy.set(given.dy, 24 * 16);
      const rows = Array.from({ length: given.batch.rows }, (_, i) => 24 + i);
      expect(gather((await run(device(), more)).dqkv, qkvColumns(options), rows)).toEqual(dqkv);
    },
  );

  it.each([6, 12, 48, 100, 132])(
    "wide and narrow tiles give equal bits with heads of %i columns",
    async (headDim) => {
      const batch = forestOf([
        { prompt: 37, replies: [5, 41] },
        { prompt: 3, replies: [] },
        { prompt: 6, replies: [2, 20] },
      ]);
      const given = inputs(headDim, batch, { heads: 2, kvHeads: 1, headDim, scale: 0.2 });
      const { dqkv } = await run(gpu(), given);
      expect(relativeError(dqkv, reference(given))).toBeLessThan(1e-5);
      for (const tileRows of [8, 32]) expect((await run(gpu(), given, tileRows)).dqkv).toEqual(dqkv);
    },
  );

  it("stays right with large logits", async () => {
    const batch = forestOf([{ prompt: 40, replies: [10, 20] }]);
    const given = inputs(5, batch, { heads: 2, kvHeads: 2, headDim: 8, scale: 30 });
    const { dqkv } = await run(gpu(), given);
    expect(dqkv.every(Number.isFinite)).toBe(true);
    // Logits of several hundred carry an absolute error of a few 1e-5, and so do the weights.
    expect(relativeError(dqkv, reference(given))).toBeLessThan(2e-4);
  });

  it.each([
    ["a query", 0],
    ["a key", 1],
    ["a value", 2],
    ["dy", 3],
  ])("NaN and infinity in %s show where they must, and nowhere else", async (_, part) => {
    for (const device of [gpu, shared]) await expectPoison(device(), part);
  });

  async function expectPoison(on: Gpu, part: number): Promise<void> {
    const options = { heads: 1, kvHeads: 1, headDim: 8, scale: 0.3 };
    // The prompt's rows 0..19; replies in rows 20..34 and 35..44; another sequence in rows 45..59.
    const batch = forestOf([
      { prompt: 20, replies: [15, 10] },
      { prompt: 15, replies: [] },
    ]);
    const clean = inputs(6, batch, options);
    const before = (await run(on, clean)).dqkv;
    const segment = (r: number) => [20, 35, 45, 60].findIndex((end) => r < end);
    const sees = (query: number, key: number) =>
      key <= query && (segment(query) === segment(key) || (segment(key) === 0 && segment(query) < 3));
    for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const row of [10, 25, 45]) {
        const given = { ...clean, qkv: clean.qkv.slice(), dy: clean.dy.slice() };
        if (part === 3) given.dy[row * 8 + 3] = poison;
        else given.qkv[row * 24 + part * 8 + 3] = poison;
        const { dqkv } = await run(on, given);
        const rows = Array.from({ length: batch.rows }, (_, t) => t);
        // The queries whose softmax or dp holds the poison, and the keys that these see.
        const queries = part === 0 || part === 3 ? [row] : rows.filter((t) => sees(t, row));
        const halves = [
          { name: "dq", from: 0, to: 8, reached: (t: number) => queries.includes(t) },
          { name: "dk, dv", from: 8, to: 24, reached: (t: number) => queries.some((q) => sees(q, t)) },
        ];
        for (const t of rows) {
          for (const { name, from, to, reached } of halves) {
            const values = dqkv.subarray(t * 24 + from, t * 24 + to);
            const label = `${poison} in row ${row}: ${name} of row ${t}`;
            if (!reached(t)) expect(values, label).toEqual(before.subarray(t * 24 + from, t * 24 + to));
            // An infinite key whose score is -Infinity has the weight 0, which spoils its query's dq alone.
            else if (name === "dq" || part !== 1 || poison !== Number.POSITIVE_INFINITY)
              expect(values.every(Number.isFinite), label).toBe(false);
          }
        }
      }
    }
  }

  it("writes zeros into the padding of its rows", async () => {
    using _ = gpu().scope();
    const options = { heads: 1, kvHeads: 1, headDim: 6, scale: 1 };
    const batch = forestOf([{ prompt: 9, replies: [] }]);
    const x = uploadTensor(gpu(), normals(7, 9 * 18), 18, "qkv");
    const dy = uploadTensor(gpu(), normals(8, 9 * 6), 6, "dy");
    const forest = uploadForest(gpu(), batch, 9);
    const tables = uploadForestGradient(gpu(), batch, 9);
    // The pool hands these buffers to lse, delta and dqkv, unless the kernels' own zeros replace their ones.
    for (const cols of [4, 4, 20]) {
      const dirt = uploadTensor(gpu(), new Float32Array(9 * cols).fill(1), cols, "dirt", {
        persistent: true,
      });
      gpu().release(dirt.buffer);
    }
    const { y, lse } = attentionWithLse(gpu(), x, forest, options);
    const dqkv = attentionBackward(gpu(), { dy, qkv: x, y, lse }, forest, tables, options);
    for (const tensor of [lse, dqkv]) {
      const raw = new Float32Array(await gpu().read(tensor.buffer, 0, 9 * tensor.rowBytes));
      raw.forEach((v, i) => {
        if (i % tensor.stride >= tensor.cols) expect(v, `${tensor.shape}, value ${i}`).toBe(0);
      });
    }
  });

  it.each([
    ["with subgroups", gpu],
    ["without", portable],
    ["in workgroup memory", shared],
  ])("does nothing for kinds of tiles that a batch hasn't, %s", async (_, device) => {
    for (const replies of [[], [40]]) {
      const given = inputs(7, forestOf([{ prompt: 5, replies }]), {
        heads: 1,
        kvHeads: 1,
        headDim: 8,
        scale: 0.3,
      });
      expect(relativeError((await run(device(), given)).dqkv, reference(given))).toBeLessThan(1e-5);
    }
  });

  it("refuses shapes that do not fit by the operation's name", () => {
    using _ = gpu().scope();
    const options = { heads: 2, kvHeads: 1, headDim: 4, scale: 1 };
    const batch = forestOf([{ prompt: 3, replies: [] }]);
    const tensor = (cols: number) => uploadTensor(gpu(), new Float32Array(3 * cols), cols, "t");
    const forest = uploadForest(gpu(), batch, 3);
    const tables = uploadForestGradient(gpu(), batch, 3);
    const good = { dy: tensor(8), qkv: tensor(16), y: tensor(8), lse: tensor(2) };
    for (const name of ["dy", "y", "lse"] as const) {
      expect(() => attentionBackward(gpu(), { ...good, [name]: tensor(7) }, forest, tables, options)).toThrow(
        `attentionBackward ${name}`,
      );
    }
    expect(() => attentionBackward(gpu(), { ...good, qkv: tensor(12) }, forest, tables, options)).toThrow(
      /attentionBackward: expected/,
    );
  });

  it("compiles in every variant", async () => {
    await compiler().pipelines.warm(attentionGradientKernels);
  });
});
