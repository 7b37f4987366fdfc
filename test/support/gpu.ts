/** @file One device per test file, and the checks that every file ends with. */
import { afterAll, beforeAll, expect } from "vitest";
import { type Gpu, type OpenOptions, openGpu } from "../../src/gpu/gpu.ts";

/** Opens a device before the file's tests and closes it after them; no buffer may be left in use. */
export function useGpu(options: OpenOptions = {}): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await openGpu(options);
  });
  afterAll(async () => {
    await gpu?.finish();
    const live = gpu?.memory.live;
    gpu?.close();
    expect(live, "bytes of buffers that no test released").toBe(0);
  });
  return () => {
    if (gpu === undefined) throw new Error("useGpu: no device before the tests begin");
    return gpu;
  };
}
