// linear for devices with subgroups: lanes span groups of 4 outputs, and share 16 rows of x: each lane loads a part of
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
  let row = 16u * (index / columns);
  if (row >= params.rows) { return; }
  let group = (index % columns) * WG + lane;
  // Rows and outputs past the end repeat the last one; what they give is not stored.
  let last_row = params.rows - 1u;
  let last_out = params.outs - 1u;
  let upper = min(row + (subgroup_lane & 7u), last_row) * params.x_stride4;
  let lower = min(row + 8u + (subgroup_lane & 7u), last_row) * params.x_stride4;
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
  var s8 = vec4<f32>(0.0);
  var s9 = vec4<f32>(0.0);
  var s10 = vec4<f32>(0.0);
  var s11 = vec4<f32>(0.0);
  var s12 = vec4<f32>(0.0);
  var s13 = vec4<f32>(0.0);
  var s14 = vec4<f32>(0.0);
  var s15 = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = transpose(mat4x4<f32>(widen(w[w0 + k]), widen(w[w1 + k]), widen(w[w2 + k]), widen(w[w3 + k])));
    let a = x[upper + k];
    let c = x[lower + k];
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
    let x8 = subgroupBroadcast(c, 0u);
    s8 = fma(vec4<f32>(x8.x), b[0], s8);
    s8 = fma(vec4<f32>(x8.y), b[1], s8);
    s8 = fma(vec4<f32>(x8.z), b[2], s8);
    s8 = fma(vec4<f32>(x8.w), b[3], s8);
    let x9 = subgroupBroadcast(c, 1u);
    s9 = fma(vec4<f32>(x9.x), b[0], s9);
    s9 = fma(vec4<f32>(x9.y), b[1], s9);
    s9 = fma(vec4<f32>(x9.z), b[2], s9);
    s9 = fma(vec4<f32>(x9.w), b[3], s9);
    let x10 = subgroupBroadcast(c, 2u);
    s10 = fma(vec4<f32>(x10.x), b[0], s10);
    s10 = fma(vec4<f32>(x10.y), b[1], s10);
    s10 = fma(vec4<f32>(x10.z), b[2], s10);
    s10 = fma(vec4<f32>(x10.w), b[3], s10);
    let x11 = subgroupBroadcast(c, 3u);
    s11 = fma(vec4<f32>(x11.x), b[0], s11);
    s11 = fma(vec4<f32>(x11.y), b[1], s11);
    s11 = fma(vec4<f32>(x11.z), b[2], s11);
    s11 = fma(vec4<f32>(x11.w), b[3], s11);
    let x12 = subgroupBroadcast(c, 4u);
    s12 = fma(vec4<f32>(x12.x), b[0], s12);
    s12 = fma(vec4<f32>(x12.y), b[1], s12);
    s12 = fma(vec4<f32>(x12.z), b[2], s12);
    s12 = fma(vec4<f32>(x12.w), b[3], s12);
    let x13 = subgroupBroadcast(c, 5u);
    s13 = fma(vec4<f32>(x13.x), b[0], s13);
    s13 = fma(vec4<f32>(x13.y), b[1], s13);
    s13 = fma(vec4<f32>(x13.z), b[2], s13);
    s13 = fma(vec4<f32>(x13.w), b[3], s13);
    let x14 = subgroupBroadcast(c, 6u);
    s14 = fma(vec4<f32>(x14.x), b[0], s14);
    s14 = fma(vec4<f32>(x14.y), b[1], s14);
    s14 = fma(vec4<f32>(x14.z), b[2], s14);
    s14 = fma(vec4<f32>(x14.w), b[3], s14);
    let x15 = subgroupBroadcast(c, 7u);
    s15 = fma(vec4<f32>(x15.x), b[0], s15);
    s15 = fma(vec4<f32>(x15.y), b[1], s15);
    s15 = fma(vec4<f32>(x15.z), b[2], s15);
    s15 = fma(vec4<f32>(x15.w), b[3], s15);
  }
  if (group >= groups) { return; }
  finish(row, group, s0);
  if (row + 1u < params.rows) { finish(row + 1u, group, s1); }
  if (row + 2u < params.rows) { finish(row + 2u, group, s2); }
  if (row + 3u < params.rows) { finish(row + 3u, group, s3); }
  if (row + 4u < params.rows) { finish(row + 4u, group, s4); }
  if (row + 5u < params.rows) { finish(row + 5u, group, s5); }
  if (row + 6u < params.rows) { finish(row + 6u, group, s6); }
  if (row + 7u < params.rows) { finish(row + 7u, group, s7); }
  if (row + 8u < params.rows) { finish(row + 8u, group, s8); }
  if (row + 9u < params.rows) { finish(row + 9u, group, s9); }
  if (row + 10u < params.rows) { finish(row + 10u, group, s10); }
  if (row + 11u < params.rows) { finish(row + 11u, group, s11); }
  if (row + 12u < params.rows) { finish(row + 12u, group, s12); }
  if (row + 13u < params.rows) { finish(row + 13u, group, s13); }
  if (row + 14u < params.rows) { finish(row + 14u, group, s14); }
  if (row + 15u < params.rows) { finish(row + 15u, group, s15); }
}
