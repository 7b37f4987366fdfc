/** @file Opening, describing, reading, timing and closing a device. */
import { describe, expect, it } from "vitest";
import { DeviceLostError } from "../../src/gpu/errors.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { useGpu } from "../support/gpu.ts";
import { runAccumulate, runFill, values } from "./kernels.ts";

const device = useGpu();
const portable = useGpu({
  exclude: ["subgroups", "timestamp-query"],
  variants: {},
  limits: { maxBinding: 2 ** 20 },
});

describe("facts", () => {
  it("say what the device is and the limits that it was opened with", () => {
    const { limits, description, device: name, vendor, subgroupMin, subgroupMax, features } = device().facts;
    expect([description, name, vendor].join("")).not.toBe("");
    expect(limits.maxBinding).toBe(device().device.limits.maxStorageBufferBindingSize);
    expect(limits.maxBinding).toBeGreaterThanOrEqual(128 * 2 ** 20);
    expect(limits.maxInvocations).toBeGreaterThanOrEqual(256);
    expect(limits.workgroupStorage).toBeGreaterThanOrEqual(16 * 1024);
    expect(subgroupMin > 0).toBe(features.has("subgroups"));
    expect(subgroupMax).toBeGreaterThanOrEqual(subgroupMin);
  });

  it("leave out excluded features, and show faked limits", () => {
    const { features, limits, subgroupMin, subgroupMax } = portable().facts;
    expect([...features]).toEqual(
      [...device().facts.features].filter((f) => f !== "subgroups" && f !== "timestamp-query"),
    );
    expect([subgroupMin, subgroupMax]).toEqual([0, 0]);
    expect(limits).toEqual({ ...device().facts.limits, maxBinding: 2 ** 20 });
  });
});

describe("reads", () => {
  it("of nothing, of a part, of several at once", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const x = gpu.allocate(64, "x");
    gpu.write(
      x,
      0,
      Float32Array.from({ length: 16 }, (_, i) => i),
    );
    expect((await gpu.read(x, 0, 0)).byteLength).toBe(0);
    expect([...new Float32Array(await gpu.read(x, 8, 12))]).toEqual([2, 3, 4]);
    const reads = [gpu.read(x, 0, 4)];
    runFill(gpu, x, 1, 9);
    reads.push(gpu.read(x, 0, 4), gpu.read(x, 4, 4));
    const read = (await Promise.all(reads)).map((bytes) => new Float32Array(bytes)[0]);
    expect(read).toEqual([0, 9, 1]);
  });

  it("a write takes its part of a larger array", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const x = gpu.allocate(16, "x");
    gpu.write(x, 0, new Float32Array(4));
    gpu.write(x, 4, Float32Array.of(1, 2, 3, 4).subarray(1, 3));
    expect(await values(gpu, x, 4)).toEqual([0, 2, 3, 0]);
  });
});

describe("timing", () => {
  const count = 16_384;

  it.each([
    ["timestamps where the device has them", device],
    ["the clock where it has none", portable],
  ])("by %s; the work is done", async (_, opened) => {
    const gpu = opened();
    using _scope = gpu.scope();
    const [x, sum] = [gpu.allocate(4 * count, "x"), gpu.allocate(4 * count, "sum")];
    runFill(gpu, sum, count, 1);
    const { seconds, source } = await gpu.time(() => {
      runFill(gpu, x, count, 2);
      runAccumulate(gpu, x, sum, count);
    });
    expect(source).toBe(gpu.facts.features.has("timestamp-query") ? "timestamp" : "wall");
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(10);
    expect((await values(gpu, sum, count)).every((v) => v === 3)).toBe(true);
  });

  it("stays whole, however much work it is said to be", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const x = gpu.allocate(64, "x");
    const before = gpu.recorder.stats.submits;
    await gpu.time(() => {
      for (let i = 0; i < 3; i++) runFill(gpu, x, 16, i, 1e11);
    });
    if (gpu.facts.features.has("timestamp-query")) expect(gpu.recorder.stats.submits).toBe(before + 1);
    expect(await values(gpu, x, 1)).toEqual([2]);
  });

  it("what it measures may fail, and the device goes on", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const x = gpu.allocate(64, "x");
    const failing = gpu.time(() => {
      throw new Error("stopped");
    });
    await expect(failing).rejects.toThrow("stopped");
    const tooLong = gpu.time(() => {
      for (let i = 0; i < 1025; i++) runFill(gpu, x, 1, i);
    });
    if (gpu.facts.features.has("timestamp-query"))
      await expect(tooLong).rejects.toThrow("fill: a timed pass holds at most 1024 dispatches");
    else expect((await tooLong).source).toBe("wall");
    runFill(gpu, x, 2, 4);
    expect(await values(gpu, x, 2)).toEqual([4, 4]);
    expect((await gpu.time(() => runFill(gpu, x, 16, 1))).seconds).toBeGreaterThan(0);
  });
});

describe("close", () => {
  it("may be called twice; what comes after it is told", async () => {
    const gpu = await openGpu();
    const x = gpu.allocate(16, "x");
    runFill(gpu, x, 4, 1);
    const pending = gpu.read(x, 0, 16);
    gpu.close();
    gpu.close();
    await expect(pending).rejects.toThrow(DeviceLostError);
    await expect(gpu.read(x, 0, 16)).rejects.toThrow("The GPU device was closed");
    await expect(gpu.finish()).rejects.toThrow("The GPU device was closed");
  });

  it("of one device leaves another at work", async () => {
    const gpu = device();
    using _scope = gpu.scope();
    const other = await openGpu();
    const x = gpu.allocate(16, "x");
    runFill(gpu, x, 4, 1);
    other.close();
    expect(await values(gpu, x, 4)).toEqual([1, 1, 1, 1]);
  });
});
