// RMSNorm of every head's columns, in place: x[t, first + h*D ..] = x / sqrt(mean(x^2) + eps) * weight.
//
// Shapes: x [rows, stride], heads [first, first + heads*D) of its columns; weight [D]. Used for Qwen3's norms of q and
// k inside the fused q/k/v activation. Layout: one invocation per (row, head), so that no sum depends on its
// neighbours. Accumulation: f32, one accumulator, columns ascending. Padding columns are not touched.
// Source: Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4.
//#include grid
struct Params {
  rows: u32,
  heads: u32,
  head_dim: u32,
  first: u32,
  stride: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.heads) { return; }
  let begin = (index / params.heads) * params.stride + params.first + (index % params.heads) * params.head_dim;
  var sum = 0.0;
  for (var c = 0u; c < params.head_dim; c++) {
    sum = fma(x[begin + c], x[begin + c], sum);
  }
  let scale = 1.0 / sqrt(sum / f32(params.head_dim) + params.eps);
  for (var c = 0u; c < params.head_dim; c++) {
    x[begin + c] = x[begin + c] * scale * weight[c];
  }
}
