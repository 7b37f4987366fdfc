// linear_input_gradient for devices with subgroups: dx = dy W, or dx += dy W, with the same order of sums and so the same
// bits. Lanes span vec4s of columns, and share 8 rows of dy: each lane loads a part of them once, and a broadcast from a
// constant lane hands them round. Needs a subgroup size of at least 8; lanes past the eighth load what the first eight do.
//
// Shapes and accumulation: linear_input_gradient.
enable subgroups;
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

fn add_products(sum: vec4<f32>, a: vec4<f32>, w0: vec4<f32>, w1: vec4<f32>, w2: vec4<f32>, w3: vec4<f32>) -> vec4<f32> {
  return fma(vec4<f32>(a.w), w3, fma(vec4<f32>(a.z), w2, fma(vec4<f32>(a.y), w1, fma(vec4<f32>(a.x), w0, sum))));
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Whole workgroups share a tile of rows, so that every lane of a subgroup takes part in every broadcast.
  let columns = (params.stride4 + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let row = 8u * (index / columns);
  if (row >= params.rows) { return; }
  let own = (index % columns) * WG + lane;
  let c = min(own, params.stride4 - 1u);
  let begin = min(row + (subgroup_lane & 7u), params.rows - 1u) * params.dy_stride4 + params.first4;
  let last_out = params.outs - 1u;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  var s4 = vec4<f32>(0.0);
  var s5 = vec4<f32>(0.0);
  var s6 = vec4<f32>(0.0);
  var s7 = vec4<f32>(0.0);
  for (var n = 0u; n < params.outs; n += 4u) {
    let w0 = widen(w[n * params.w_stride4 + c]);
    let w1 = widen(w[min(n + 1u, last_out) * params.w_stride4 + c]);
    let w2 = widen(w[min(n + 2u, last_out) * params.w_stride4 + c]);
    let w3 = widen(w[min(n + 3u, last_out) * params.w_stride4 + c]);
    let a = dy[begin + n / 4u];
    s0 = add_products(s0, subgroupBroadcast(a, 0u), w0, w1, w2, w3);
    s1 = add_products(s1, subgroupBroadcast(a, 1u), w0, w1, w2, w3);
    s2 = add_products(s2, subgroupBroadcast(a, 2u), w0, w1, w2, w3);
    s3 = add_products(s3, subgroupBroadcast(a, 3u), w0, w1, w2, w3);
    s4 = add_products(s4, subgroupBroadcast(a, 4u), w0, w1, w2, w3);
    s5 = add_products(s5, subgroupBroadcast(a, 5u), w0, w1, w2, w3);
    s6 = add_products(s6, subgroupBroadcast(a, 6u), w0, w1, w2, w3);
    s7 = add_products(s7, subgroupBroadcast(a, 7u), w0, w1, w2, w3);
  }
  if (own >= params.stride4) { return; }
  finish(row, c, s0);
  finish(row + 1u, c, s1);
  finish(row + 2u, c, s2);
  finish(row + 3u, c, s3);
  finish(row + 4u, c, s4);
  finish(row + 5u, c, s5);
  finish(row + 6u, c, s6);
  finish(row + 7u, c, s7);
}

fn finish(row: u32, c: u32, sum: vec4<f32>) {
  if (row >= params.rows) { return; }
  let at = row * params.stride4 + c;
  var value = sum;
  if (params.accumulate != 0u) { value = dx[at] + value; }
  dx[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
