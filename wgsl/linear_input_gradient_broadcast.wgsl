// linear_input_gradient for devices with subgroups: dx = dy W, or dx += dy W, with the same order of sums and so the same
// bits. Lanes span vec4s of columns, and share ROWS rows of dy: each lane loads a part of them once, and a broadcast from a
// constant lane hands them round. Needs a subgroup size of at least 8; lanes past the eighth load what the first eight do.
//
// Shapes and accumulation: linear_input_gradient.
//#include grid
//#header weight
//#include products
//#include products8
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
// 16 or 32: what a load is worth against registers.
override ROWS: u32 = 16;

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
  let row = ROWS * (index / columns);
  if (row >= params.rows) { return; }
  let own = (index % columns) * WG + lane;
  let c = min(own, params.stride4 - 1u);
  let first = row + (subgroup_lane & 7u);
  let g0 = dy_row(first);
  let g1 = dy_row(first + 8u);
  let g2 = dy_row(first + 16u);
  let g3 = dy_row(first + 24u);
  let last_out = params.outs - 1u;
  var s0 = array<vec4<f32>, 8>();
  var s1 = array<vec4<f32>, 8>();
  var s2 = array<vec4<f32>, 8>();
  var s3 = array<vec4<f32>, 8>();
  for (var n = 0u; n < params.outs; n += 4u) {
    let b = mat4x4<f32>(
      widen(w[n * params.w_stride4 + c]),
      widen(w[min(n + 1u, last_out) * params.w_stride4 + c]),
      widen(w[min(n + 2u, last_out) * params.w_stride4 + c]),
      widen(w[min(n + 3u, last_out) * params.w_stride4 + c]),
    );
    add_products8(&s0, dy[g0 + n / 4u], b);
    add_products8(&s1, dy[g1 + n / 4u], b);
    if (ROWS > 16u) {
      add_products8(&s2, dy[g2 + n / 4u], b);
      add_products8(&s3, dy[g3 + n / 4u], b);
    }
  }
  if (own >= params.stride4) { return; }
  finish8(row, c, s0);
  finish8(row + 8u, c, s1);
  if (ROWS > 16u) {
    finish8(row + 16u, c, s2);
    finish8(row + 24u, c, s3);
  }
}

// Where the outputs of this window begin in a row of dy. Rows past the last repeat it; what they give is not stored.
fn dy_row(row: u32) -> u32 {
  return min(row, params.rows - 1u) * params.dy_stride4 + params.first4;
}

// A loop over the rows that there are: drivers don't unroll it, which would make this kernel slow to build.
fn finish8(first: u32, c: u32, sums: array<vec4<f32>, 8>) {
  let end = min(first + 8u, params.rows);
  for (var row = first; row < end; row++) {
    let at = row * params.stride4 + c;
    var value = sums[row - first];
    if (params.accumulate != 0u) { value = dx[at] + value; }
    dx[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
  }
}
