// The input's gradient of a linear layer: dx = dy W, or dx += dy W.
//
// Shapes: dy [T, N] f32; w [N, K] as stored, bound as a window of `outs` rows from row 4 * first4 on; dx [T, K] f32;
// rows padded with zeros to whole vec4s. Layout: each invocation computes 4 rows x one vec4 of columns. Accumulation:
// f32, outputs ascending, then the old value; dy's padding adds zeros.
//#include grid
//#header weight
struct Params {
  rows: u32,
  outs: u32,
  cols: u32,
  stride4: u32,
  w_stride4: u32,
  dy_stride4: u32,
  first4: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<W4>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.rows + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= tiles * params.stride4) { return; }
  let c = index % params.stride4;
  let row = 4u * (index / params.stride4);
  // Rows past the end repeat the last one; what they give is not stored.
  let last_row = params.rows - 1u;
  let last_out = params.outs - 1u;
  let g0 = min(row, last_row) * params.dy_stride4 + params.first4;
  let g1 = min(row + 1u, last_row) * params.dy_stride4 + params.first4;
  let g2 = min(row + 2u, last_row) * params.dy_stride4 + params.first4;
  let g3 = min(row + 3u, last_row) * params.dy_stride4 + params.first4;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  for (var n = 0u; n < params.outs; n += 4u) {
    let w0 = widen(w[n * params.w_stride4 + c]);
    let w1 = widen(w[min(n + 1u, last_out) * params.w_stride4 + c]);
    let w2 = widen(w[min(n + 2u, last_out) * params.w_stride4 + c]);
    let w3 = widen(w[min(n + 3u, last_out) * params.w_stride4 + c]);
    let a0 = dy[g0 + n / 4u];
    let a1 = dy[g1 + n / 4u];
    let a2 = dy[g2 + n / 4u];
    let a3 = dy[g3 + n / 4u];
    s0 = fma(vec4<f32>(a0.w), w3, fma(vec4<f32>(a0.z), w2, fma(vec4<f32>(a0.y), w1, fma(vec4<f32>(a0.x), w0, s0))));
    s1 = fma(vec4<f32>(a1.w), w3, fma(vec4<f32>(a1.z), w2, fma(vec4<f32>(a1.y), w1, fma(vec4<f32>(a1.x), w0, s1))));
    s2 = fma(vec4<f32>(a2.w), w3, fma(vec4<f32>(a2.z), w2, fma(vec4<f32>(a2.y), w1, fma(vec4<f32>(a2.x), w0, s2))));
    s3 = fma(vec4<f32>(a3.w), w3, fma(vec4<f32>(a3.z), w2, fma(vec4<f32>(a3.y), w1, fma(vec4<f32>(a3.x), w0, s3))));
  }
  finish(row, c, s0);
  if (row + 1u < params.rows) { finish(row + 1u, c, s1); }
  if (row + 2u < params.rows) { finish(row + 2u, c, s2); }
  if (row + 3u < params.rows) { finish(row + 3u, c, s3); }
}

fn finish(row: u32, c: u32, sum: vec4<f32>) {
  let at = row * params.stride4 + c;
  var value = sum;
  if (params.accumulate != 0u) { value = dx[at] + value; }
  dx[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
