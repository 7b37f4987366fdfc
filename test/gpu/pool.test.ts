/** @file The pool's accounting and the byte budget, on the null backend: nothing here runs a kernel. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type GpuBuffer, sizeClass } from "../../src/gpu/buffers.ts";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";

const open = (memoryBudget: number) => openGpu({ backend: "null", memoryBudget });

it("size classes: at least what was asked for, at most an eighth more (or 256 bytes), their own class", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.nat(2 ** 20), (bytes, more) => {
      const size = sizeClass(bytes);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size - bytes).toBeLessThanOrEqual(Math.max(256, bytes / 8));
      expect(size % 256).toBe(0);
      expect(sizeClass(size)).toBe(size);
      expect(sizeClass(bytes + more)).toBeGreaterThanOrEqual(size);
    }),
  );
});

it("live, pooled, peak and created follow a buffer through its life", async () => {
  using gpu = await open(2 ** 20);
  const counts = () => ({ ...gpu.memory });
  const size = sizeClass(3000);
  const a = gpu.allocate(3000, "a");
  expect(counts()).toEqual({ live: size, pooled: 0, peak: size, peakHeld: size, buffersCreated: 1 });
  expect(a.raw.size).toBe(size);
  const b = gpu.allocate(3000, "b");
  expect(counts()).toEqual({
    live: 2 * size,
    pooled: 0,
    peak: 2 * size,
    peakHeld: 2 * size,
    buffersCreated: 2,
  });
  gpu.release(a);
  gpu.release(b);
  expect(counts()).toEqual({
    live: 0,
    pooled: 2 * size,
    peak: 2 * size,
    peakHeld: 2 * size,
    buffersCreated: 2,
  });
  expect(gpu.allocate(size, "again")).toBe(a);
  expect(counts()).toEqual({
    live: size,
    pooled: size,
    peak: 2 * size,
    peakHeld: 2 * size,
    buffersCreated: 2,
  });
  gpu.resetPeak();
  expect([gpu.memory.peak, gpu.memory.peakHeld]).toEqual([size, 2 * size]);
  gpu.trim();
  gpu.resetPeak();
  expect(counts()).toEqual({ live: size, pooled: 0, peak: size, peakHeld: size, buffersCreated: 2 });
  expect(a.live).toBe(true);
});

it("the same requests get the same buffers in every step", async () => {
  using gpu = await open(2 ** 20);
  const step = () => {
    using scope = gpu.scope();
    const [a, b] = [gpu.allocate(3000, "a"), gpu.allocate(3000, "b")];
    scope.release(a);
    return [a, b, gpu.allocate(3000, "c")].map((buffer) => buffer.id);
  };
  const first = step();
  expect([step(), step()]).toEqual([first, first]);
});

it("an allocation of nothing can be bound", async () => {
  using gpu = await open(2 ** 20);
  expect(gpu.allocate(0, "empty").size).toBeGreaterThan(0);
});

it("the pool is trimmed before the budget is called exhausted; then the error names tensor and remedy", async () => {
  using gpu = await open(10_240);
  const small = Array.from({ length: 5 }, (_, i) => gpu.allocate(2048, `small ${i}`));
  for (const buffer of small) gpu.release(buffer);
  expect(gpu.memory.pooled).toBe(10_240);
  const large = gpu.allocate(8192, "large");
  expect(gpu.memory).toMatchObject({ live: 8192, pooled: 2048 });
  const full = () => gpu.allocate(4096, "layers.3.mlp");
  expect(full).toThrow(OutOfMemoryError);
  expect(full).toThrow(/^layers\.3\.mlp needs 4 KiB; 8 KiB of the budget of 10 KiB are in use\./);
  expect(full).toThrow(/--memory-budget.*--max-length.*--batch-tokens/);
  gpu.release(large);
  expect(gpu.allocate(4096, "later").live).toBe(true);
});

it("one buffer above the device's limit is refused by name, with what to lower", async () => {
  using gpu = await openGpu({ backend: "null", limits: { maxBuffer: 1 << 20 } });
  const over = () => gpu.allocate(2 << 20, "logits");
  expect(over).toThrow(OutOfMemoryError);
  expect(over).toThrow(/^logits needs one buffer of 2 MiB; this device's largest is 1 MiB.*--batch-tokens/);
  expect(gpu.memory).toMatchObject({ live: 0, pooled: 0 });
});

type Step = { readonly bytes: number } | { readonly release: number } | "trim";
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 9000 }) }) },
  { weight: 3, arbitrary: fc.record({ release: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant("trim" as const) },
);

/** Fails to allocate only where what is held leaves no room. */
function take(gpu: Gpu, held: GpuBuffer[], bytes: number): void {
  const size = sizeClass(Math.max(bytes, 16));
  try {
    const buffer = gpu.allocate(bytes, "any");
    expect(buffer.size).toBe(size);
    held.push(buffer);
  } catch (error) {
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(gpu.memory.live + size).toBeGreaterThan(gpu.memoryBudget);
  }
}

it("no sequence of allocations and releases exceeds the budget or hands a buffer out twice", async () => {
  const runs = fc.record({
    budget: fc.integer({ min: 1024, max: 40_000 }),
    steps: fc.array(step, { maxLength: 80 }),
  });
  await fc.assert(
    fc.asyncProperty(runs, async ({ budget, steps }) => {
      using gpu = await open(budget);
      const held: GpuBuffer[] = [];
      let peak = 0;
      for (const s of steps) {
        if (s === "trim") gpu.trim();
        else if ("bytes" in s) take(gpu, held, s.bytes);
        else if (held.length > 0) for (const b of held.splice(s.release % held.length, 1)) gpu.release(b);
        const live = held.reduce((sum, b) => sum + b.size, 0);
        peak = Math.max(peak, live);
        expect(gpu.memory).toMatchObject({ live, peak });
        expect(live + gpu.memory.pooled).toBeLessThanOrEqual(budget);
        expect(new Set(held).size).toBe(held.length);
        expect(held.every((b) => b.live)).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
