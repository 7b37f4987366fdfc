/** @file A hand-made kernel for tests of the device: adds a number to every element. */
import type { GpuBuffer } from "../../src/gpu/buffers.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { KernelSource } from "../../src/gpu/kernel-source.ts";
import type { Binding } from "../../src/gpu/recorder.ts";

/** x[first + i] += number for i < count; one workgroup of one invocation per element, so that small grids fold. */
export const addNumber = {
  name: "add_number",
  source: `
struct Params { count: u32, number: f32 }
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>) {
  let i = workgroup.y * grid.x + workgroup.x;
  if (i < params.count) { x[i] += params.number; }
}`,
  enables: [],
  headers: {},
  bindings: [{ name: "x", access: "read_write" }],
  params: [
    { name: "count", type: "u32" },
    { name: "number", type: "f32" },
  ],
  overrides: [],
} as const satisfies KernelSource;

export function add(gpu: Gpu, binding: Binding, count: number, number: number): void {
  gpu.recorder.dispatch(addNumber, { bindings: [binding], params: { count, number }, workgroups: count });
}

/** A buffer of the innermost scope with these values. */
export function upload(gpu: Gpu, values: readonly number[], label = "values"): GpuBuffer {
  const buffer = gpu.allocate(4 * values.length, label);
  gpu.write(buffer, 0, Float32Array.from(values));
  return buffer;
}

export async function download(gpu: Gpu, buffer: GpuBuffer, count: number): Promise<number[]> {
  return [...new Float32Array(await gpu.read(buffer, 0, 4 * count))];
}
