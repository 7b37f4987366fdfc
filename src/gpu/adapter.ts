/** @file Finds an adapter: Dawn (the `webgpu` package) in Node, `navigator.gpu` in browsers. Nothing above knows which. */
import { NoAdapterError } from "./errors.ts";
import { matrixFeature, type Precision } from "./precision.ts";
import { useShaderCache } from "./shader-cache.ts";

export interface AdapterRequest {
  /** "null": Dawn's backend that compiles kernels and runs nothing (tests). Default: the platform's own. */
  readonly backend?: "default" | "null";
  readonly powerPreference?: GPUPowerPreference;
  /** f16: with what Dawn hides behind switches. Default: f32. */
  readonly precision?: Precision;
}

/**
 * The objects that Dawn's `create()` returned. They must outlive every device made from them: Dawn aborts the process
 * when one is collected earlier. So they are never let go.
 */
const instances: GPU[] = [];

/**
 * Matrix units are an experiment of WebGPU (allow_unsafe_apis) that needs Vulkan's memory model; f16 on NVIDIA is off because
 * of conformance tests that kernels may not depend on, so that the class checks itself (src/kernels/matrix-check.ts).
 */
const matrixSwitches = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia", "use_vulkan_memory_model"];

async function instance(backend: "default" | "null", precision: Precision): Promise<GPU> {
  const browser = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (browser !== undefined) {
    if (backend === "null") throw new NoAdapterError("The null backend exists only in Node");
    return browser;
  }
  await useShaderCache();
  // Named through a variable so that a browser's bundler does not follow it.
  const dawn = "webgpu";
  const { create } = (await import(/* @vite-ignore */ dawn)) as typeof import("webgpu");
  // Quantised timestamps (100 us) hide every small kernel; no page's privacy is at stake in Node.
  const flags = ["disable-dawn-features=timestamp_quantization"];
  if (precision === "f16") flags.push(`enable-dawn-features=${matrixSwitches.join(",")}`);
  const gpu = create(backend === "null" ? ["backend=null", "enable-dawn-features=allow_unsafe_apis"] : flags);
  instances.push(gpu);
  return gpu;
}

/** @throws NoAdapterError with what to do about it. */
export async function requestAdapter(request: AdapterRequest = {}): Promise<GPUAdapter> {
  const gpu = await instance(request.backend ?? "default", request.precision ?? "f32");
  const options: GPURequestAdapterOptions = {
    powerPreference: request.powerPreference ?? "high-performance",
  };
  const adapter = await gpu.requestAdapter(options);
  if (adapter === null) {
    throw new NoAdapterError(
      "No WebGPU adapter was found. In a clone, run bin/setup: it installs a Vulkan driver for the CPU where there is no GPU. " +
        "On a machine with a GPU, install the vendor's Vulkan driver and the loader (Debian, Ubuntu: libvulkan1).",
    );
  }
  return adapter;
}

/** WebGPU features that kernels can use; each is asked for where the adapter has it, none is needed. */
export const wantedFeatures: readonly string[] = [
  "shader-f16",
  "subgroups",
  "timestamp-query",
  matrixFeature,
];

/** The adapter's full limits and every wanted feature. `exclude` leaves features out, to run the portable variants. */
export function deviceDescriptor(adapter: GPUAdapter, exclude: readonly string[] = []): GPUDeviceDescriptor {
  const limits: Record<string, number> = {};
  for (const name of limitNames) {
    const value = adapter.limits[name];
    if (typeof value === "number") limits[name] = value;
  }
  const features = wantedFeatures.filter(
    (f) => adapter.features.has(f) && !exclude.includes(f),
  ) as GPUFeatureName[];
  return { label: "rmtrain", requiredFeatures: features, requiredLimits: limits };
}

const limitNames = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
  "maxUniformBufferBindingSize",
  "minStorageBufferOffsetAlignment",
  "minUniformBufferOffsetAlignment",
] as const satisfies readonly (keyof GPUSupportedLimits)[];
