// RMSNorm over groups of columns: y[g] = x[g] / sqrt(mean(x[g]^2) + eps) * weight.
//
// Shapes: x, y [rows, groups * cols] with the given strides; weight [cols]. One group is an ordinary RMSNorm; several
// are Qwen3's norm of each head. Layout: one invocation per (row, group), so that no sum depends on its neighbours.
// Accumulation: f32, one accumulator, columns ascending. Padding columns of y are written as zeros.
// Source: Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4.
//#include grid
struct Params {
  rows: u32,
  groups: u32,
  cols: u32,
  x_stride: u32,
  y_stride: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.groups) { return; }
  let row = index / params.groups;
  let group = index % params.groups;
  let source = row * params.x_stride + group * params.cols;
  let sink = row * params.y_stride + group * params.cols;
  var sum = 0.0;
  for (var c = 0u; c < params.cols; c++) {
    sum = fma(x[source + c], x[source + c], sum);
  }
  let scale = 1.0 / sqrt(sum / f32(params.cols) + params.eps);
  for (var c = 0u; c < params.cols; c++) {
    y[sink + c] = x[source + c] * scale * weight[c];
  }
  if (group == params.groups - 1u) {
    for (var c = params.groups * params.cols; c < params.y_stride; c++) { y[row * params.y_stride + c] = 0.0; }
  }
}
