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
  let begin = input_row(row + (subgroup_lane & 7u));
  let weights = weight_rows(group);
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  var s4 = vec4<f32>(0.0);
  var s5 = vec4<f32>(0.0);
  var s6 = vec4<f32>(0.0);
  var s7 = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = weights_at(weights, k);
    let a = x[begin + k];
    s0 = add_products(s0, subgroupBroadcast(a, 0u), b);
    s1 = add_products(s1, subgroupBroadcast(a, 1u), b);
    s2 = add_products(s2, subgroupBroadcast(a, 2u), b);
    s3 = add_products(s3, subgroupBroadcast(a, 3u), b);
    s4 = add_products(s4, subgroupBroadcast(a, 4u), b);
    s5 = add_products(s5, subgroupBroadcast(a, 5u), b);
    s6 = add_products(s6, subgroupBroadcast(a, 6u), b);
    s7 = add_products(s7, subgroupBroadcast(a, 7u), b);
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
