/** @file Tensors to the device and back: padding, capacity, views, and what is refused by name. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import {
  bind,
  createTensor,
  dtypeBytes,
  paddedStride,
  readTensor,
  Tensor,
  uploadTensor,
  writeTensor,
} from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";
import { normals } from "../support/numbers.ts";

const device = useGpu();

it("rows are whole 16 bytes, with less than 16 of padding", () => {
  const dtype = fc.constantFrom("f32", "f16", "bf16", "i32");
  fc.assert(
    fc.property(fc.nat(10_000), dtype, (cols, of) => {
      const stride = paddedStride(cols, of);
      expect(stride).toBeGreaterThanOrEqual(cols);
      expect((stride * dtypeBytes[of]) % 16).toBe(0);
      expect((stride - cols) * dtypeBytes[of]).toBeLessThan(16);
    }),
  );
});

it("rows come back as they went, bit for bit, and padding is zero", async () => {
  const shape = fc.record({ rows: fc.nat(9), cols: fc.integer({ min: 1, max: 21 }), seed: fc.nat() });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, cols, seed }) => {
      const gpu = device();
      using _scope = gpu.scope();
      const values = normals(seed, rows * cols);
      if (rows > 0) values.set([Number.NaN, -0].slice(0, rows * cols));
      const x = uploadTensor(gpu, values, cols, "x");
      expect([x.rows, x.cols, x.stride4, x.rowBytes]).toEqual([rows, cols, x.stride / 4, x.stride * 4]);
      const back = await readTensor(gpu, x);
      expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(values.buffer));
      const raw = new Uint32Array(await gpu.read(x.buffer, 0, rows * x.rowBytes));
      expect(raw.every((bits, i) => i % x.stride < cols || bits === 0)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

it("whole numbers keep their bits", async () => {
  const gpu = device();
  using _scope = gpu.scope();
  const ids = Int32Array.of(0, -1, 2 ** 31 - 1, -(2 ** 31), 7, 8);
  const x = uploadTensor(gpu, ids, 3, "ids");
  expect(x.dtype).toBe("i32");
  const raw = new Int32Array(await gpu.read(x.buffer, 0, 2 * x.rowBytes));
  expect([...raw]).toEqual([0, -1, 2 ** 31 - 1, 0, -(2 ** 31), 7, 8, 0]);
});

it("views of one buffer are written and read apart", async () => {
  const gpu = device();
  using _scope = gpu.scope();
  const buffer = gpu.allocate(1024, "arena");
  const views = [0, 256, 512].map((offset) => new Tensor(buffer, "f32", 2, 3, 2, `at ${offset}`, offset));
  for (const [i, view] of views.entries()) writeTensor(gpu, view, new Float32Array(6).fill(i + 1));
  for (const [i, view] of views.entries()) {
    expect([...(await readTensor(gpu, view))]).toEqual(new Array(6).fill(i + 1));
    if (i > 0) expect(bind(gpu, view)).toEqual({ buffer, offset: 256 * i, size: 32 });
  }
});

describe("capacity", () => {
  it("is room for more rows than there are, never for fewer", () => {
    const gpu = device();
    using _scope = gpu.scope();
    const roomy = createTensor(gpu, 3, 4, "roomy", { capacity: 100 });
    expect([roomy.rows, roomy.capacity]).toEqual([3, 100]);
    expect(roomy.buffer.size).toBeGreaterThanOrEqual(1600);
    expect(createTensor(gpu, 3, 4, "x", { capacity: 2 }).capacity).toBe(3);
  });

  it("a persistent tensor outlives its scope", () => {
    const gpu = device();
    let tensor: Tensor;
    {
      using _scope = gpu.scope();
      tensor = createTensor(gpu, 1, 4, "weights", { persistent: true });
    }
    expect(tensor.buffer.live).toBe(true);
    gpu.release(tensor.buffer);
  });
});

describe("refused by name", () => {
  it("values that are no whole rows, too many values, a read as another dtype", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    expect(() => uploadTensor(gpu, new Float32Array(7), 3, "logits")).toThrow("logits: 7 values");
    const x = createTensor(gpu, 2, 3, "logits");
    expect(() => writeTensor(gpu, x, new Float32Array(7))).toThrow("logits f32[2, 3] does not take 7 values");
    const ids = uploadTensor(gpu, Int32Array.of(1), 1, "ids");
    await expect(readTensor(gpu, ids)).rejects.toThrow("ids i32[1, 1] cannot be read as f32");
  });

  it("a tensor that is larger than one binding, with what to lower; its empty capacity is no hindrance", async () => {
    using gpu = await openGpu({ backend: "null", limits: { maxBinding: 4096 } });
    const large = createTensor(gpu, 257, 4, "hidden states");
    expect(() => bind(gpu, large)).toThrow(OutOfMemoryError);
    expect(() => bind(gpu, large)).toThrow(
      /^hidden states f32\[257, 4\] has 4\.0 KiB.* 4 KiB.*--batch-tokens/,
    );
    const roomy = createTensor(gpu, 256, 4, "roomy", { capacity: 1000 });
    expect(bind(gpu, roomy)).toEqual({ buffer: roomy.buffer });
  });
});
