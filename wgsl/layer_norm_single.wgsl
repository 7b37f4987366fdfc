// LayerNorm, as layer_norm.wgsl says, by one invocation per row (lib/row_single); weight and bias are shared by the
// subgroup (lib/row_share).
//
// Shapes: x, y [rows, stride4 vec4s]; weight, bias [4 stride4]. Accumulation: f32, one walk. Columns c, c + 4, ... have a
// mean and a sum of squared deviations of their own, updated by chunks of 16 columns and merged at the end, so that
// large means cost no digits. Padding columns of y are written as zeros.
// Source: as layer_norm.wgsl; Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing
// sample variances", eq. 2.1 (merging).
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;
//#include row_single
//#include row_share
//#include row_moments

fn put(row: Row, c: u32, v: vec4<f32>) {
  if (row.has && c < params.stride4) { y[row.base + c] = within(v, c); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let row = row_of(workgroup_index(workgroup, grid) * WG + lane);
  let m = moments(row);
  let shift = m.mean;
  let scale = 1.0 / sqrt(m.squares / f32(params.cols) + params.eps);
  let last = params.stride4 - 1u;
  for (var c = 0u; c < params.stride4; c += 4u) {
    let low = min(4u * c + member % 8u, 4u * last + 3u);
    let high = min(4u * c + 8u + member % 8u, 4u * last + 3u);
    let w = share16(weight[low], weight[high]);
    let b = share16(bias[low], bias[high]);
    let v0 = x[row.base + c];
    let v1 = x[row.base + min(c + 1u, last)];
    let v2 = x[row.base + min(c + 2u, last)];
    let v3 = x[row.base + min(c + 3u, last)];
    put(row, c, (v0 - shift) * scale * w[0] + b[0]);
    put(row, c + 1u, (v1 - shift) * scale * w[1] + b[1]);
    put(row, c + 2u, (v2 - shift) * scale * w[2] + b[2]);
    put(row, c + 3u, (v3 - shift) * scale * w[3] + b[3]);
  }
}
