// RMSNorm, as rms_norm.wgsl says, by one invocation per row (lib/row_single); the weight is shared by the subgroup
// (lib/row_share).
//
// Shapes: x, y [rows, stride4 vec4s]; weight [4 stride4]. Accumulation: f32; columns c, c + 4, ... apart, ascending.
// Padding columns of y are written as zeros.
// Source: as rms_norm.wgsl.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;
//#include row_single
//#include row_share

fn put(row: Row, c: u32, v: vec4<f32>) {
  if (row.has && c < params.stride4) { y[row.base + c] = within(v, c); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let row = row_of(workgroup_index(workgroup, grid) * WG + lane);
  var squares = vec4<f32>(0.0);
  let whole = 4u * whole_chunks();
  for (var c = 0u; c < whole; c += 4u) {
    let v0 = x[row.base + c];
    let v1 = x[row.base + c + 1u];
    let v2 = x[row.base + c + 2u];
    let v3 = x[row.base + c + 3u];
    squares = fma(v3, v3, fma(v2, v2, fma(v1, v1, fma(v0, v0, squares))));
  }
  for (var c = whole; c < params.stride4; c++) {
    let v = within(x[row.base + c], c);
    squares = fma(v, v, squares);
  }
  let scale = 1.0 / sqrt(sum4(squares) / f32(params.cols) + params.eps);
  let last = params.stride4 - 1u;
  for (var c = 0u; c < params.stride4; c += 4u) {
    let low = min(4u * c + member % 8u, 4u * last + 3u);
    let high = min(4u * c + 8u + member % 8u, 4u * last + 3u);
    let w = share16(weight[low], weight[high]);
    let v0 = x[row.base + c];
    let v1 = x[row.base + min(c + 1u, last)];
    let v2 = x[row.base + min(c + 2u, last)];
    let v3 = x[row.base + min(c + 3u, last)];
    put(row, c, v0 * scale * w[0]);
    put(row, c + 1u, v1 * scale * w[1]);
    put(row, c + 2u, v2 * scale * w[2]);
    put(row, c + 3u, v3 * scale * w[3]);
  }
}
