/** @file Who owns a buffer, when it goes back, what is counted, and what the budget refuses. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeClass } from "../../src/gpu/buffers.ts";
import { OutOfMemoryError } from "../../src/gpu/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { createTensor, rowWindows } from "../../src/tensor/tensor.ts";
import { add, download, upload } from "../support/add-number.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu({ memoryBudget: 2 ** 20 });

it("a size class holds what was asked for, and at most an eighth more above 2 KiB", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
      const size = sizeClass(bytes);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 256).toBe(0);
      if (bytes > 2048) expect(size).toBeLessThanOrEqual(bytes * 1.125);
      expect(sizeClass(size)).toBe(size);
    }),
  );
});

describe("scopes", () => {
  it("give back what they own at their end, but not what is kept", () => {
    const before = gpu().memory.live;
    let kept: ReturnType<typeof upload> | undefined;
    {
      using scope = gpu().scope();
      gpu().allocate(1024, "a");
      kept = gpu().allocate(512, "b");
      scope.keep(kept);
      expect(gpu().memory.live).toBe(before + 1536);
    }
    expect(gpu().memory.live).toBe(before + 512);
    gpu().release(kept);
    expect(gpu().memory.live).toBe(before);
  });

  it("give back after an exception too", () => {
    expect(() => {
      using _ = gpu().scope();
      gpu().allocate(1024, "a");
      throw new Error("on the way");
    }).toThrow("on the way");
    expect(gpu().memory.live).toBe(0);
  });

  it("inner scopes own what is allocated in them; persistent buffers belong to none", () => {
    using _outer = gpu().scope();
    gpu().allocate(256, "outer");
    let persistent: ReturnType<typeof upload>;
    {
      using _inner = gpu().scope();
      gpu().allocate(256, "inner");
      persistent = gpu().allocatePersistent(256, "persistent");
    }
    expect(gpu().memory.live).toBe(512);
    gpu().release(persistent);
  });

  it("refuse a buffer that is not theirs, and an end out of order", async () => {
    using other = await openGpu({ backend: "null" });
    const first = other.scope();
    const a = other.allocate(16, "the first's");
    const second = other.scope();
    expect(() => second.release(a)).toThrow("the first's does not belong to this scope");
    expect(() => first[Symbol.dispose]()).toThrow("reverse order");
  });
});

describe("the pool", () => {
  it("refuses a second release", () => {
    const buffer = gpu().allocatePersistent(256, "once");
    gpu().release(buffer);
    expect(() => gpu().release(buffer)).toThrow("once was released twice");
    expect(gpu().memory.live).toBe(0);
  });

  it("refuses the use of a released buffer", () => {
    const buffer = gpu().allocatePersistent(256, "gone");
    gpu().release(buffer);
    expect(() => add(gpu(), { buffer }, 1, 1)).toThrow("add_number: gone was released before its use");
  });

  it("hands a released buffer out again within a recording, and earlier work keeps its result", async () => {
    using scope = gpu().scope();
    const created = () => gpu().memory.buffersCreated;
    const a = upload(gpu(), [1, 2, 3]);
    add(gpu(), { buffer: a }, 3, 10);
    const copy = gpu().allocate(12, "copy");
    gpu().recorder.copy(a, 0, copy.raw, 0, 12);
    scope.release(a);
    const before = created();
    const b = gpu().allocate(12, "again");
    expect(b).toBe(a);
    expect(created()).toBe(before);
    add(gpu(), { buffer: b }, 3, 100);
    expect(await download(gpu(), copy, 3)).toEqual([11, 12, 13]);
    expect(await download(gpu(), b, 3)).toEqual([111, 112, 113]);
  });

  it("the same requests get the same buffers in every step", () => {
    const step = () => {
      using scope = gpu().scope();
      const [a, b] = [gpu().allocate(3000, "a"), gpu().allocate(3000, "b")];
      scope.release(a);
      const c = gpu().allocate(3000, "c");
      return [a, b, c].map((buffer) => buffer.id);
    };
    const first = step();
    expect([step(), step()]).toEqual([first, first]);
  });

  it("counts live, pooled and peak bytes over any order of requests", async () => {
    using own = await openGpu({ backend: "null" });
    const requests = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 9000 }), at: fc.nat() }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(requests, (list) => {
        own.resetPeak();
        const held: { buffer: ReturnType<typeof upload>; size: number }[] = [];
        let peak = 0;
        const sum = () => held.reduce((total, { size }) => total + size, 0);
        for (const { bytes, at } of list) {
          if (at % 3 === 0 && held.length > 0) {
            for (const { buffer } of held.splice(at % held.length, 1)) own.release(buffer);
          } else
            held.push({ buffer: own.allocatePersistent(bytes, "x"), size: sizeClass(Math.max(16, bytes)) });
          peak = Math.max(peak, sum());
          expect(own.memory.live).toBe(sum());
          expect(own.memory.peak).toBe(peak);
        }
        for (const { buffer } of held) own.release(buffer);
        own.trim();
        expect([own.memory.live, own.memory.pooled]).toEqual([0, 0]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the budget", () => {
  it("names the tensor that does not fit, and what to lower", () => {
    using _ = gpu().scope();
    createTensor(gpu(), 1, 200_000, "first");
    const attempt = () => createTensor(gpu(), 1, 200_000, "hidden states");
    expect(attempt).toThrow(OutOfMemoryError);
    expect(attempt).toThrow(/hidden states needs .* of the budget of 1 MiB .*--memory-budget/);
  });

  it("pooled buffers of other sizes make room", () => {
    for (const bytes of [600_000, 700_000, 900_000]) gpu().release(gpu().allocatePersistent(bytes, "large"));
    expect(gpu().memory.live + gpu().memory.pooled).toBeLessThanOrEqual(2 ** 20);
  });

  it("a buffer beyond the device's largest is refused by name", async () => {
    using small = await openGpu({ backend: "null", limits: { maxBuffer: 4096 } });
    expect(() => small.allocate(5000, "weights")).toThrow(/weights needs one buffer of .* largest is 4 KiB/);
  });
});

it("row windows cover every row once, at offsets that can be bound, however small the binding", async () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 300 }),
    cols: fc.integer({ min: 1, max: 40 }),
    multiple: fc.constantFrom(1, 4),
    // Enough for the fewest rows that end at an aligned offset, four of them together.
    maxBinding: fc.integer({ min: 64 * 4 * 160, max: 100_000 }),
  });
  using small = await openGpu({ backend: "null" });
  await fc.assert(
    fc.asyncProperty(shape, async ({ rows, cols, multiple, maxBinding }) => {
      const limits = { ...small.facts.limits, maxBinding };
      const tensor = createTensor(small, rows, cols, "table", { persistent: true });
      const windows = rowWindows(
        Object.assign(Object.create(small), { facts: { ...small.facts, limits } }),
        tensor,
        multiple,
      );
      let next = 0;
      for (const { first, rows: count, binding } of windows) {
        expect(first).toBe(next);
        expect(first % multiple).toBe(0);
        expect((binding.offset ?? 0) % limits.offsetAlignment).toBe(0);
        expect(count * tensor.rowBytes).toBeLessThanOrEqual(maxBinding);
        next += count;
      }
      expect(next).toBe(rows);
      small.release(tensor.buffer);
    }),
    { numRuns: 50 },
  );
});
