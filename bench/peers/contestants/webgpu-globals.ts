/** @file What libraries made for browsers look for: `navigator.gpu` and WebGPU's constants, here Dawn's. */
import { useShaderCache } from "../../../src/gpu/shader-cache.ts";

export async function provideWebGpu(): Promise<void> {
  // The shader cache that ours has, too.
  await useShaderCache();
  const { create, globals } = await import("webgpu");
  // The object stays referenced: Dawn aborts the process when it is collected before its devices.
  const gpu = create([]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
}
