/** @file What libraries made for browsers look for: `navigator.gpu` and WebGPU's constants, here Dawn's. */
import { useShaderCache } from "../../../src/gpu/shader-cache.ts";

/** @param toggles of Dawn to switch on */
export async function provideWebGpu(toggles: readonly string[] = []): Promise<void> {
  // The shader cache that ours has, too.
  await useShaderCache();
  const { create, globals } = await import("webgpu");
  // The object stays referenced: Dawn aborts the process when it is collected before its devices.
  const gpu = create([
    "disable-dawn-features=timestamp_quantization",
    ...(toggles.length > 0 ? [`enable-dawn-features=${toggles.join(",")}`] : []),
  ]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
}
