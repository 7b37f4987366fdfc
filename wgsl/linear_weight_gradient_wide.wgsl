// linear_weight_gradient for CPU adapters with subgroups: dw = dy^T x, or dw += dy^T x, with the same order of sums and so
// the same bits where all values are finite. Lanes span vec4s of columns, and share 4 rows of dy for 32 outputs, so that a
// load, which costs these adapters as much as several multiplications, is used 32 times: the first 4 members of a
// subgroup hold the rows of outputs 0 .. 15, the next 4 those of outputs 16 .. 31, and broadcasts from constant members
// hand them round. Needs a subgroup size of at least 8, and more registers than most GPUs have.
//
// Shapes and accumulation: linear_weight_gradient. Rows past a chunk's end count as zeros of dy.
enable subgroups;
//#include grid
//#include products
struct Params {
  rows: u32,
  outs: u32,
  cols: u32,
  stride4: u32,
  dy_stride4: u32,
  first4: u32,
  chunk: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dw: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 8;

// 4 outputs.
alias Sums = array<vec4<f32>, 4>;

// sums + the products of 4 rows: r0 .. r3 hold dy of the same 4 outputs, v's columns are rows of x.
fn add_rows(sums: Sums, r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>, v: mat4x4<f32>) -> Sums {
  let g = transpose(mat4x4<f32>(r0, r1, r2, r3));
  return Sums(add_products(sums[0], g[0], v), add_products(sums[1], g[1], v), add_products(sums[2], g[2], v), add_products(sums[3], g[3], v));
}

fn plus(a: Sums, b: Sums) -> Sums {
  return Sums(a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]);
}

// Where a row of x begins. Rows past the chunk's end repeat its last one; dy is zero there.
fn row_of(r: u32, end: u32) -> u32 {
  return min(r, end - 1u) * params.stride4;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Whole workgroups share 32 outputs, so that every lane of a subgroup takes part in every broadcast.
  let columns = (params.stride4 + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let out = 32u * (index / columns);
  if (out >= params.outs) { return; }
  let own = (index % columns) * WG + lane;
  let c = min(own, params.stride4 - 1u);
  // Where a row has no more outputs, its last ones again; what they give is not stored.
  let mine = params.first4 + out / 4u + 4u * ((subgroup_lane / 4u) & 1u);
  let columns_of_dy = min(vec4<u32>(mine) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.dy_stride4 - 1u));
  var t0 = Sums();
  var t1 = Sums();
  var t2 = Sums();
  var t3 = Sums();
  var t4 = Sums();
  var t5 = Sums();
  var t6 = Sums();
  var t7 = Sums();
  for (var begin = 0u; begin < params.rows; begin += params.chunk) {
    let end = min(begin + params.chunk, params.rows);
    var s0 = Sums();
    var s1 = Sums();
    var s2 = Sums();
    var s3 = Sums();
    var s4 = Sums();
    var s5 = Sums();
    var s6 = Sums();
    var s7 = Sums();
    for (var r = begin; r < end; r += 4u) {
      let held = r + (subgroup_lane & 3u);
      let row = min(held, end - 1u) * params.dy_stride4;
      let there = vec4<bool>(held < end);
      let a0 = select(vec4<f32>(0.0), dy[row + columns_of_dy.x], there);
      let a1 = select(vec4<f32>(0.0), dy[row + columns_of_dy.y], there);
      let a2 = select(vec4<f32>(0.0), dy[row + columns_of_dy.z], there);
      let a3 = select(vec4<f32>(0.0), dy[row + columns_of_dy.w], there);
      let v = mat4x4<f32>(x[row_of(r, end) + c], x[row_of(r + 1u, end) + c], x[row_of(r + 2u, end) + c], x[row_of(r + 3u, end) + c]);
      s0 = add_rows(s0, subgroupBroadcast(a0, 0u), subgroupBroadcast(a0, 1u), subgroupBroadcast(a0, 2u), subgroupBroadcast(a0, 3u), v);
      s1 = add_rows(s1, subgroupBroadcast(a1, 0u), subgroupBroadcast(a1, 1u), subgroupBroadcast(a1, 2u), subgroupBroadcast(a1, 3u), v);
      s2 = add_rows(s2, subgroupBroadcast(a2, 0u), subgroupBroadcast(a2, 1u), subgroupBroadcast(a2, 2u), subgroupBroadcast(a2, 3u), v);
      s3 = add_rows(s3, subgroupBroadcast(a3, 0u), subgroupBroadcast(a3, 1u), subgroupBroadcast(a3, 2u), subgroupBroadcast(a3, 3u), v);
      s4 = add_rows(s4, subgroupBroadcast(a0, 4u), subgroupBroadcast(a0, 5u), subgroupBroadcast(a0, 6u), subgroupBroadcast(a0, 7u), v);
      s5 = add_rows(s5, subgroupBroadcast(a1, 4u), subgroupBroadcast(a1, 5u), subgroupBroadcast(a1, 6u), subgroupBroadcast(a1, 7u), v);
      s6 = add_rows(s6, subgroupBroadcast(a2, 4u), subgroupBroadcast(a2, 5u), subgroupBroadcast(a2, 6u), subgroupBroadcast(a2, 7u), v);
      s7 = add_rows(s7, subgroupBroadcast(a3, 4u), subgroupBroadcast(a3, 5u), subgroupBroadcast(a3, 6u), subgroupBroadcast(a3, 7u), v);
    }
    t0 = plus(t0, s0);
    t1 = plus(t1, s1);
    t2 = plus(t2, s2);
    t3 = plus(t3, s3);
    t4 = plus(t4, s4);
    t5 = plus(t5, s5);
    t6 = plus(t6, s6);
    t7 = plus(t7, s7);
  }
  if (own >= params.stride4) { return; }
  // A loop over the outputs that there are: drivers don't unroll it, which would make this kernel slow to build.
  var sums = array<Sums, 8>(t0, t1, t2, t3, t4, t5, t6, t7);
  let end = min(out + 32u, params.outs);
  for (var n = out; n < end; n++) {
    let at = n * params.stride4 + c;
    var value = sums[(n - out) / 4u][n % 4u];
    if (params.accumulate != 0u) { value = dw[at] + value; }
    dw[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
  }
}
