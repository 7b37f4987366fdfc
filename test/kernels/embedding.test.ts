/** @file Rows of tables: every dtype, added or written, in windows, and from a table larger than any binding. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { embedding, embeddingKernels, gatherRows } from "../../src/kernels/embedding.ts";
import { createTensor, readTensor, rowWindows, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";
import { rounded, uploadWeight, weightDtypes } from "../support/weights.ts";

const gpu = useGpu();
/** Tables over 2 KiB go in windows; more than three workgroups fold the grid. */
const narrow = useGpu({ limits: { maxBinding: 2048, maxWorkgroups: 3 } });
const devices = { gpu, "gpu of narrow limits": narrow };

const shapes = fc.record({
  vocabulary: fc.integer({ min: 1, max: 200 }),
  width: fc.integer({ min: 1, max: 30 }),
  picks: fc.array(fc.nat(), { maxLength: 16 }),
  dtype: fc.constantFrom(...weightDtypes),
  into: fc.boolean(),
  seed: fc.nat(),
});

describe.each(Object.entries(devices))("embedding on a %s", (_, device) => {
  it("gives exactly the table's rows, or adds them", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ vocabulary, width, picks, dtype, into, seed }) => {
        using _ = device().scope();
        const ids = Int32Array.from(picks, (p) => p % vocabulary);
        const table = rounded(normals(seed, vocabulary * width), dtype);
        const start = normals(seed + 1, ids.length * width);
        const y = embedding(
          device(),
          uploadWeight(device(), table, width, dtype),
          uploadTensor(device(), ids, 1, "ids"),
          into ? { into: uploadTensor(device(), start, width, "y") } : {},
        );
        const expected = start.map((s, i) => {
          const value = table[ids[Math.floor(i / width)]! * width + (i % width)]!;
          return into ? s + value : value;
        });
        expect(await readTensor(device(), y)).toEqual(expected);
        const raw = new Float32Array(await device().read(y.buffer, 0, y.rows * y.rowBytes));
        expect(
          raw.every((v, i) => i % y.stride < width || v === 0),
          "padding is 0",
        ).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

it("makes room for the asked capacity, else for that of the ids", () => {
  using _ = gpu().scope();
  const table = uploadTensor(gpu(), normals(1, 12), 3, "table");
  const ids = uploadTensor(gpu(), Int32Array.of(0, 1), 1, "ids", { capacity: 9 });
  expect(embedding(gpu(), table, ids).capacity).toBe(9);
  expect(embedding(gpu(), table, ids, { capacity: 20 }).capacity).toBe(20);
});

it("gathered rows keep NaN and Inf", async () => {
  using _ = gpu().scope();
  const x = Float32Array.of(1, Number.NaN, 2, 3, Number.NEGATIVE_INFINITY, 4);
  const y = gatherRows(
    gpu(),
    uploadTensor(gpu(), x, 2, "x"),
    uploadTensor(gpu(), Int32Array.of(2, 0), 1, "rows"),
  );
  expect(await readTensor(gpu(), y)).toEqual(Float32Array.of(Number.NEGATIVE_INFINITY, 4, 1, Number.NaN));
});

it("reads both sides of every cut of a table of 200 MiB", async () => {
  using _ = gpu().scope();
  const width = 1024;
  const table = createTensor(gpu(), 51_200, width, "table");
  const windows = rowWindows(gpu(), table);
  expect(windows.length).toBe(Math.ceil((200 * 2 ** 20) / gpu().facts.limits.maxBinding));
  const ids = Int32Array.from(windows.flatMap(({ first, rows }) => [first, first + rows - 1]));
  for (const id of ids) gpu().write(table.buffer, id * table.rowBytes, normals(id, width));
  const y = embedding(gpu(), table, uploadTensor(gpu(), ids, 1, "ids"));
  expect(await readTensor(gpu(), y)).toEqual(
    Float32Array.from([...ids].flatMap((id) => [...normals(id, width)])),
  );
});

it("every dtype compiles without a device", async () => {
  using bare = await openGpu({ backend: "null" });
  await bare.pipelines.warm(embeddingKernels);
});
