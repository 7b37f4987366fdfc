/** @file Who owns a buffer: scopes, kept buffers, reuse inside a recording, host writes between recorded uses. */
import { describe, expect, it, vi } from "vitest";
import { useGpu } from "../support/gpu.ts";
import { runAccumulate, runFill, values } from "./kernels.ts";

const device = useGpu();
const submits = () => device().recorder.stats.submits;

describe("scopes", () => {
  it("give back what was allocated in them, inner and outer apart", () => {
    const gpu = device();
    const before = gpu.memory.live;
    {
      using _outer = gpu.scope();
      gpu.allocate(1000, "outer");
      const one = gpu.memory.live - before;
      {
        using _inner = gpu.scope();
        gpu.allocate(1000, "inner");
        expect(gpu.memory.live - before).toBe(2 * one);
      }
      expect(gpu.memory.live - before).toBe(one);
    }
    expect(gpu.memory.live).toBe(before);
  });

  it("a kept buffer outlives its scope; a persistent one belongs to none", () => {
    const gpu = device();
    const scope = gpu.scope();
    const kept = gpu.allocate(64, "kept");
    const persistent = gpu.allocatePersistent(64, "persistent");
    const left = gpu.allocate(64, "left");
    scope.keep(kept);
    scope[Symbol.dispose]();
    expect([kept.live, persistent.live, left.live]).toEqual([true, true, false]);
    expect(() => scope.keep(kept)).toThrow("kept does not belong to this scope");
    gpu.release(kept);
    gpu.release(persistent);
  });

  it("a buffer released early goes back once", () => {
    const gpu = device();
    const before = gpu.memory.live;
    {
      using scope = gpu.scope();
      const early = gpu.allocate(64, "early");
      scope.release(early);
      expect(gpu.memory.live).toBe(before);
      expect(() => scope.release(early)).toThrow("early does not belong to this scope");
      expect(() => gpu.release(early)).toThrow("Buffer early was released twice");
    }
    expect(gpu.memory.live).toBe(before);
  });

  it("end in the reverse order of their beginnings; an attempt at another order changes nothing", () => {
    const gpu = device();
    const before = gpu.memory.live;
    const outer = gpu.scope();
    gpu.allocate(64, "outer");
    const inner = gpu.scope();
    const buffer = gpu.allocate(64, "inner");
    expect(() => outer[Symbol.dispose]()).toThrow("in the reverse order of their beginnings");
    expect(buffer.live).toBe(true);
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(gpu.memory.live).toBe(before);
    const next = gpu.scope();
    expect(() => inner[Symbol.dispose]()).toThrow("in the reverse order of their beginnings");
    next[Symbol.dispose]();
  });

  it("what they gave back can be neither read nor written: another owner may have it", async () => {
    const gpu = device();
    const gone = gpu.allocatePersistent(64, "gone");
    gpu.release(gone);
    await expect(gpu.read(gone, 0, 64)).rejects.toThrow("gone was released before it was copied or read");
    expect(() => gpu.write(gone, 0, new Uint8Array(4))).toThrow("gone was released before it was written");
  });

  it("end when what happens in them throws", () => {
    const gpu = device();
    const before = gpu.memory.live;
    const work = () => {
      using _outer = gpu.scope();
      using _inner = gpu.scope();
      gpu.allocate(64, "lost");
      throw new Error("stopped");
    };
    expect(work).toThrow("stopped");
    expect(gpu.memory.live).toBe(before);
  });
});

describe("within one recording", () => {
  it("a released buffer is used again by later dispatches, in order", async () => {
    const gpu = device();
    using scope = gpu.scope();
    const sum = gpu.allocate(16, "sum");
    runFill(gpu, sum, 4, 0);
    const before = submits();
    const first = gpu.allocate(16, "first");
    runFill(gpu, first, 4, 1);
    runAccumulate(gpu, first, sum, 4);
    scope.release(first);
    const second = gpu.allocate(16, "second");
    expect(second).toBe(first);
    expect(second.label).toBe("second");
    runFill(gpu, second, 4, 10);
    runAccumulate(gpu, second, sum, 4);
    expect(submits()).toBe(before);
    expect(await values(gpu, sum, 4)).toEqual([11, 11, 11, 11]);
    expect(submits()).toBe(before + 1);
  });

  it("a host write comes after recorded uses of the buffer, also where it has another owner by then", async () => {
    const gpu = device();
    using scope = gpu.scope();
    const sum = gpu.allocate(8, "sum");
    const x = gpu.allocate(8, "x");
    const before = submits();
    gpu.write(x, 0, Float32Array.of(1, 2));
    runFill(gpu, sum, 2, 0);
    runAccumulate(gpu, x, sum, 2);
    expect(submits()).toBe(before);
    gpu.write(x, 0, Float32Array.of(10, 20));
    expect(submits()).toBe(before + 1);
    runAccumulate(gpu, x, sum, 2);
    scope.release(x);
    const reused = gpu.allocate(8, "reused");
    expect(reused).toBe(x);
    gpu.write(reused, 0, Float32Array.of(100, 200));
    runAccumulate(gpu, reused, sum, 2);
    expect(await values(gpu, sum, 2)).toEqual([111, 222]);
  });

  it("a host write to a buffer that nothing recorded uses costs no submit", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const [x, y] = [gpu.allocate(8, "x"), gpu.allocate(8, "y")];
    runFill(gpu, x, 2, 1);
    const before = submits();
    gpu.write(y, 0, Float32Array.of(3, 4));
    expect(submits()).toBe(before);
    expect(await values(gpu, y, 2)).toEqual([3, 4]);
  });

  it("copies and clears keep their place between dispatches", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const [x, sum, seen] = ["x", "sum", "seen"].map((label) => gpu.allocate(16, label));
    if (x === undefined || sum === undefined || seen === undefined) throw new Error("three buffers");
    const before = submits();
    gpu.recorder.clear(sum, 0, 16);
    runFill(gpu, x, 4, 5);
    runAccumulate(gpu, x, sum, 4);
    gpu.recorder.copy(sum, 0, seen.raw, 0, 16);
    gpu.recorder.clear(x, 8, 8);
    runAccumulate(gpu, x, sum, 4);
    expect(await values(gpu, seen, 4)).toEqual([5, 5, 5, 5]);
    expect(submits()).toBe(before + 1);
    expect(await values(gpu, sum, 4)).toEqual([10, 10, 5, 5]);
  });

  it("a released buffer that the recording still uses survives a trim until the work is done", async () => {
    const gpu = device();
    using scope = gpu.scope();
    const sum = gpu.allocate(16, "sum");
    const x = gpu.allocate(5000, "x");
    const destroyed = vi.spyOn(x.raw, "destroy");
    runFill(gpu, sum, 4, 0);
    runFill(gpu, x, 4, 7);
    runAccumulate(gpu, x, sum, 4);
    scope.release(x);
    gpu.trim();
    expect(destroyed).toHaveBeenCalledOnce();
    expect(gpu.memory.pooled).toBe(0);
    expect(await values(gpu, sum, 4)).toEqual([7, 7, 7, 7]);
  });
});
