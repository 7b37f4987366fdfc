/** @file The logistic loss of one reward difference without labels, as a kernel of its own: bits to compare with. */
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { KernelSource } from "../../src/gpu/kernel-source.ts";
import { bind, createTensor, readTensor, uploadTensor } from "../../src/tensor/tensor.ts";

const kernel = {
  name: "unlabelled_loss",
  enables: [],
  headers: {},
  overrides: [],
  params: [
    { name: "count", type: "u32" },
    { name: "centering", type: "f32" },
  ],
  bindings: [
    { name: "differences", access: "read" },
    { name: "losses", access: "read_write" },
    { name: "gradients", access: "read_write" },
  ],
  source: `
struct Params { count: u32, centering: f32 }
@group(0) @binding(0) var<storage, read> differences: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> losses: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> gradients: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// The same polynomial as the loss's own.
fn log1p(u: f32) -> f32 {
  let s = u / (2.0 + u);
  let q = s * s;
  var p = fma(q, 1.0 / 15.0, 1.0 / 13.0);
  p = fma(q, p, 1.0 / 11.0);
  p = fma(q, p, 1.0 / 9.0);
  p = fma(q, p, 1.0 / 7.0);
  p = fma(q, p, 1.0 / 5.0);
  p = fma(q, p, 1.0 / 3.0);
  p = fma(q, p, 1.0);
  return 2.0 * s * p;
}

@compute @workgroup_size(1) fn main() {
  for (var i = 0u; i < params.count; i++) {
    let z = differences[i].x;
    let e = exp(-abs(z));
    losses[i] = vec4<f32>(max(-z, 0.0) + log1p(e) + params.centering * z * z, 0.0, 0.0, 0.0);
    let pull = select(e, 1.0, z < 0.0) / (1.0 + e);
    gradients[i] = vec4<f32>(2.0 * params.centering * z - pull, 0.0, 0.0, 0.0);
  }
}`,
} as const satisfies KernelSource;

/** softplus(-d) + c d^2 and its derivative for each difference d. */
export async function unlabelled(
  gpu: Gpu,
  differences: Float32Array,
  centering: number,
): Promise<{ readonly loss: Float32Array; readonly gradient: Float32Array }> {
  using _ = gpu.scope();
  const count = differences.length;
  const inputs = uploadTensor(gpu, differences, 1, "differences");
  const losses = createTensor(gpu, count, 1, "losses");
  const gradients = createTensor(gpu, count, 1, "gradients");
  gpu.recorder.dispatch(kernel, {
    bindings: [inputs, losses, gradients].map((tensor) => bind(gpu, tensor)),
    params: { count, centering },
    workgroups: 1,
  });
  return { loss: await readTensor(gpu, losses), gradient: await readTensor(gpu, gradients) };
}
