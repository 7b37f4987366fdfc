// linear_weight_gradient for devices with subgroups: dw = dy^T x, or dw += dy^T x, with the same order of sums and so the
// same bits where all values are finite. Lanes span vec4s of columns, and share 8 rows of dy for 8 outputs: each lane loads
// a part of them once, and a broadcast from a constant lane hands them round. Needs a subgroup size of at least 8.
//
// Shapes and accumulation: linear_weight_gradient. Rows past a chunk's end count as zeros of dy.
enable subgroups;
//#include grid
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

override WG: u32 = 64;

// The sums of one chunk, for 8 outputs.
var<private> s0: vec4<f32>;
var<private> s1: vec4<f32>;
var<private> s2: vec4<f32>;
var<private> s3: vec4<f32>;
var<private> s4: vec4<f32>;
var<private> s5: vec4<f32>;
var<private> s6: vec4<f32>;
var<private> s7: vec4<f32>;

fn add_row(low: vec4<f32>, high: vec4<f32>, v: vec4<f32>) {
  s0 = fma(vec4<f32>(low.x), v, s0);
  s1 = fma(vec4<f32>(low.y), v, s1);
  s2 = fma(vec4<f32>(low.z), v, s2);
  s3 = fma(vec4<f32>(low.w), v, s3);
  s4 = fma(vec4<f32>(high.x), v, s4);
  s5 = fma(vec4<f32>(high.y), v, s5);
  s6 = fma(vec4<f32>(high.z), v, s6);
  s7 = fma(vec4<f32>(high.w), v, s7);
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
  // Whole workgroups share 8 outputs, so that every lane of a subgroup takes part in every broadcast.
  let columns = (params.stride4 + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let out = 8u * (index / columns);
  if (out >= params.outs) { return; }
  let own = (index % columns) * WG + lane;
  let c = min(own, params.stride4 - 1u);
  let first = params.first4 + out / 4u;
  // Where there is no second vec4 of outputs, the first again; what it gives is not stored.
  let second = min(first + 1u, params.dy_stride4 - 1u);
  var t0 = vec4<f32>(0.0);
  var t1 = vec4<f32>(0.0);
  var t2 = vec4<f32>(0.0);
  var t3 = vec4<f32>(0.0);
  var t4 = vec4<f32>(0.0);
  var t5 = vec4<f32>(0.0);
  var t6 = vec4<f32>(0.0);
  var t7 = vec4<f32>(0.0);
  for (var begin = 0u; begin < params.rows; begin += params.chunk) {
    let end = min(begin + params.chunk, params.rows);
    s0 = vec4<f32>(0.0);
    s1 = vec4<f32>(0.0);
    s2 = vec4<f32>(0.0);
    s3 = vec4<f32>(0.0);
    s4 = vec4<f32>(0.0);
    s5 = vec4<f32>(0.0);
    s6 = vec4<f32>(0.0);
    s7 = vec4<f32>(0.0);
    for (var r = begin; r < end; r += 8u) {
      let mine = r + (subgroup_lane & 7u);
      let from_row = min(mine, end - 1u) * params.dy_stride4;
      let low = select(vec4<f32>(0.0), dy[from_row + first], vec4<bool>(mine < end));
      let high = select(vec4<f32>(0.0), dy[from_row + second], vec4<bool>(mine < end));
      add_row(subgroupBroadcast(low, 0u), subgroupBroadcast(high, 0u), x[row_of(r + 0u, end) + c]);
      add_row(subgroupBroadcast(low, 1u), subgroupBroadcast(high, 1u), x[row_of(r + 1u, end) + c]);
      add_row(subgroupBroadcast(low, 2u), subgroupBroadcast(high, 2u), x[row_of(r + 2u, end) + c]);
      add_row(subgroupBroadcast(low, 3u), subgroupBroadcast(high, 3u), x[row_of(r + 3u, end) + c]);
      add_row(subgroupBroadcast(low, 4u), subgroupBroadcast(high, 4u), x[row_of(r + 4u, end) + c]);
      add_row(subgroupBroadcast(low, 5u), subgroupBroadcast(high, 5u), x[row_of(r + 5u, end) + c]);
      add_row(subgroupBroadcast(low, 6u), subgroupBroadcast(high, 6u), x[row_of(r + 6u, end) + c]);
      add_row(subgroupBroadcast(low, 7u), subgroupBroadcast(high, 7u), x[row_of(r + 7u, end) + c]);
    }
    t0 += s0;
    t1 += s1;
    t2 += s2;
    t3 += s3;
    t4 += s4;
    t5 += s5;
    t6 += s6;
    t7 += s7;
  }
  if (own >= params.stride4) { return; }
  // A loop over the outputs that there are: drivers don't unroll it, which would make this kernel slow to build.
  var sums = array<vec4<f32>, 8>(t0, t1, t2, t3, t4, t5, t6, t7);
  let end = min(out + 8u, params.outs);
  for (var n = out; n < end; n++) {
    let at = n * params.stride4 + c;
    var value = sums[n - out];
    if (params.accumulate != 0u) { value = dw[at] + value; }
    dw[at] = select(vec4<f32>(0.0), value, 4u * c + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
  }
}
