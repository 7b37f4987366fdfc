/** @file Hand-made kernels: enough work to see order, ranges and errors, with no tensor about. */
import type { GpuBuffer } from "../../src/gpu/buffers.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { KernelSource } from "../../src/gpu/kernel-source.ts";

const head = (body: string) => `
struct Params { count: u32, value: f32 }
${body}
`;
const entry = "@compute @workgroup_size(1) fn main()";
const params = [
  { name: "count", type: "u32" },
  { name: "value", type: "f32" },
] as const;
const common = { enables: [], headers: {}, params, overrides: [] } as const;
const onlyData = `
@group(0) @binding(0) var<storage, read_write> data: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;`;

/** data[0..count) = value, by one workgroup. */
export const fill = {
  ...common,
  name: "fill",
  bindings: [{ name: "data", access: "read_write" }],
  source: `${head(onlyData)}${entry} {
  for (var i = 0u; i < params.count; i++) { data[i] = params.value; }
}`,
} as const satisfies KernelSource;

/** y[0..count) += x, by one workgroup. */
export const accumulate = {
  ...common,
  name: "accumulate",
  bindings: [
    { name: "x", access: "read" },
    { name: "y", access: "read_write" },
  ],
  source: `${head(`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;`)}${entry} {
  for (var i = 0u; i < params.count; i++) { y[i] += x[i]; }
}`,
} as const satisfies KernelSource;

export function runFill(gpu: Gpu, buffer: GpuBuffer, count: number, value: number, work = 0): void {
  gpu.recorder.dispatch(fill, { bindings: [{ buffer }], params: { count, value }, workgroups: 1, work });
}

export function runAccumulate(gpu: Gpu, x: GpuBuffer, y: GpuBuffer, count: number): void {
  const bindings = [{ buffer: x }, { buffer: y }];
  gpu.recorder.dispatch(accumulate, { bindings, params: { count, value: 0 }, workgroups: 1 });
}

/** The first `count` f32 values. */
export async function values(gpu: Gpu, buffer: GpuBuffer, count: number): Promise<number[]> {
  return [...new Float32Array(await gpu.read(buffer, 0, 4 * count))];
}
