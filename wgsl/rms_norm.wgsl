// RMSNorm: y = x / sqrt(mean(x^2) + eps) * weight over each row.
//
// Shapes: x, y [rows, stride4 vec4s]; weight [stride4 vec4s]. Layout: eight lanes per row (lib/row_sum). Accumulation:
// f32; a lane's four columns apart, columns ascending, then the lanes in order. No sum depends on other rows. Padding
// columns of y are written as zeros. The norm of single heads, in place, is head_norm.
// Source: Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4.
//#include grid
//#include row_sum
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  let first = lane % LANES;
  // Lanes past the last row take part in the sum with no columns.
  let end = select(0u, params.stride4, row < params.rows);
  let base = row * params.stride4;
  var squares = vec4<f32>(0.0);
  for (var c = first; c < end; c += LANES) {
    squares = fma(x[base + c], x[base + c], squares);
  }
  let scale = 1.0 / sqrt(row_sum(lane, sum4(squares)) / f32(params.cols) + params.eps);
  for (var c = first; c < end; c += LANES) {
    y[base + c] = within(x[base + c] * scale * weight[c], c, params.cols);
  }
}
