/** @file Tensors over the binding limit: windows of whole rows. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { createTensor, rowWindows, Tensor } from "../../src/tensor/tensor.ts";

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 300 }),
  cols: fc.integer({ min: 1, max: 40 }),
  dtype: fc.constantFrom("f32", "bf16"),
  multiple: fc.constantFrom(1, 4),
  /** Where the tensor begins in its buffer, in units of the alignment. */
  begin: fc.nat(3),
  // Never less than 64 rows of 160 bytes: so many may lie between two aligned offsets.
  maxBinding: fc.integer({ min: 64 * 160, max: 50_000 }),
});

it("cover every row once, at offsets that can be bound, in bindings that are small enough", async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, cols, dtype, multiple, begin, maxBinding }) => {
      using gpu = await openGpu({ backend: "null", limits: { maxBinding, offsetAlignment: 256 } });
      const { buffer } = createTensor(gpu, rows + 64, cols, "table", { persistent: true });
      const tensor = new Tensor(buffer, dtype, rows, cols, rows, "table", 256 * begin);
      const windows = rowWindows(gpu, tensor, multiple);
      let next = 0;
      for (const { first, rows: count, binding } of windows) {
        expect(first).toBe(next);
        expect(first % multiple).toBe(0);
        expect((binding.offset ?? 0) % 256).toBe(0);
        expect(binding.offset ?? 0).toBe(tensor.offset + first * tensor.rowBytes);
        expect(count * tensor.rowBytes).toBeLessThanOrEqual(maxBinding);
        next += count;
      }
      expect(next).toBe(rows);
      most = Math.max(most, windows.length);
    }),
    { numRuns: 40 },
  );
  expect(most).toBeGreaterThan(1);
});

it("a row that fits no binding is told by the tensor's name", async () => {
  using gpu = await openGpu({ backend: "null", limits: { maxBinding: 1024 } });
  const tensor = createTensor(gpu, 2, 1000, "lm_head.weight", { persistent: true });
  expect(() => rowWindows(gpu, tensor)).toThrow(OutOfMemoryError);
  expect(() => rowWindows(gpu, tensor)).toThrow(/lm_head\.weight f32\[2, 1000\]/);
});
