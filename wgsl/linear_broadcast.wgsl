// linear for devices with subgroups: lanes span groups of 4 outputs, and share 8 rows of x: each lane loads a part of
// them once, and a broadcast from a constant lane hands them round. See lib/linear.wgsl for the formula, the shapes and
// the order of accumulation. Needs a subgroup size of at least 8; lanes past the eighth load what the first eight do.
enable subgroups;
//#include grid
//#header weight
//#include linear

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Whole workgroups share a tile of rows, so that every lane of a subgroup takes part in every broadcast.
  let groups = (params.outs + 3u) / 4u;
  let columns = (groups + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let row = 8u * (index / columns);
  if (row >= params.rows) { return; }
  let group = (index % columns) * WG + lane;
  // Rows and outputs past the end repeat the last one; what they give is not stored.
  let last_out = params.outs - 1u;
  let begin = min(row + (subgroup_lane & 7u), params.rows - 1u) * params.x_stride4;
  let w0 = min(4u * group, last_out) * params.w_stride4;
  let w1 = min(4u * group + 1u, last_out) * params.w_stride4;
  let w2 = min(4u * group + 2u, last_out) * params.w_stride4;
  let w3 = min(4u * group + 3u, last_out) * params.w_stride4;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  var s4 = vec4<f32>(0.0);
  var s5 = vec4<f32>(0.0);
  var s6 = vec4<f32>(0.0);
  var s7 = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = transpose(mat4x4<f32>(widen(w[w0 + k]), widen(w[w1 + k]), widen(w[w2 + k]), widen(w[w3 + k])));
    let a = x[begin + k];
    let x0 = subgroupBroadcast(a, 0u);
    s0 = fma(vec4<f32>(x0.x), b[0], s0);
    s0 = fma(vec4<f32>(x0.y), b[1], s0);
    s0 = fma(vec4<f32>(x0.z), b[2], s0);
    s0 = fma(vec4<f32>(x0.w), b[3], s0);
    let x1 = subgroupBroadcast(a, 1u);
    s1 = fma(vec4<f32>(x1.x), b[0], s1);
    s1 = fma(vec4<f32>(x1.y), b[1], s1);
    s1 = fma(vec4<f32>(x1.z), b[2], s1);
    s1 = fma(vec4<f32>(x1.w), b[3], s1);
    let x2 = subgroupBroadcast(a, 2u);
    s2 = fma(vec4<f32>(x2.x), b[0], s2);
    s2 = fma(vec4<f32>(x2.y), b[1], s2);
    s2 = fma(vec4<f32>(x2.z), b[2], s2);
    s2 = fma(vec4<f32>(x2.w), b[3], s2);
    let x3 = subgroupBroadcast(a, 3u);
    s3 = fma(vec4<f32>(x3.x), b[0], s3);
    s3 = fma(vec4<f32>(x3.y), b[1], s3);
    s3 = fma(vec4<f32>(x3.z), b[2], s3);
    s3 = fma(vec4<f32>(x3.w), b[3], s3);
    let x4 = subgroupBroadcast(a, 4u);
    s4 = fma(vec4<f32>(x4.x), b[0], s4);
    s4 = fma(vec4<f32>(x4.y), b[1], s4);
    s4 = fma(vec4<f32>(x4.z), b[2], s4);
    s4 = fma(vec4<f32>(x4.w), b[3], s4);
    let x5 = subgroupBroadcast(a, 5u);
    s5 = fma(vec4<f32>(x5.x), b[0], s5);
    s5 = fma(vec4<f32>(x5.y), b[1], s5);
    s5 = fma(vec4<f32>(x5.z), b[2], s5);
    s5 = fma(vec4<f32>(x5.w), b[3], s5);
    let x6 = subgroupBroadcast(a, 6u);
    s6 = fma(vec4<f32>(x6.x), b[0], s6);
    s6 = fma(vec4<f32>(x6.y), b[1], s6);
    s6 = fma(vec4<f32>(x6.z), b[2], s6);
    s6 = fma(vec4<f32>(x6.w), b[3], s6);
    let x7 = subgroupBroadcast(a, 7u);
    s7 = fma(vec4<f32>(x7.x), b[0], s7);
    s7 = fma(vec4<f32>(x7.y), b[1], s7);
    s7 = fma(vec4<f32>(x7.z), b[2], s7);
    s7 = fma(vec4<f32>(x7.w), b[3], s7);
  }
  if (group >= groups) { return; }
  let b = bias_of(group);
  finish(row, group, s0 + b);
  if (row + 1u < params.rows) { finish(row + 1u, group, s1 + b); }
  if (row + 2u < params.rows) { finish(row + 2u, group, s2 + b); }
  if (row + 3u < params.rows) { finish(row + 3u, group, s3 + b); }
  if (row + 4u < params.rows) { finish(row + 4u, group, s4 + b); }
  if (row + 5u < params.rows) { finish(row + 5u, group, s5 + b); }
  if (row + 6u < params.rows) { finish(row + 6u, group, s6 + b); }
  if (row + 7u < params.rows) { finish(row + 7u, group, s7 + b); }
}
