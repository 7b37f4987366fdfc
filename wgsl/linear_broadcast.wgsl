// linear for devices with subgroups: lanes span groups of 4 outputs, and share ROWS rows of x: each lane loads a part of
// them once, and a broadcast from a constant lane hands them round. See lib/linear.wgsl for the formula, the shapes and
// the order of accumulation. Needs a subgroup size of at least 8; lanes past the eighth load what the first eight do.
//#include grid
//#header weight
//#include linear
//#include products
//#include products8

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
  let groups = (params.outs + 3u) / 4u;
  let columns = (groups + WG - 1u) / WG;
  let index = workgroup_index(workgroup, grid);
  let row = ROWS * (index / columns);
  if (row >= params.rows) { return; }
  let group = (index % columns) * WG + lane;
  let own = row + (subgroup_lane & 7u);
  let x0 = input_row(own);
  let x1 = input_row(own + 8u);
  let x2 = input_row(own + 16u);
  let x3 = input_row(own + 24u);
  let weights = weight_rows(group);
  var s0 = array<vec4<f32>, 8>();
  var s1 = array<vec4<f32>, 8>();
  var s2 = array<vec4<f32>, 8>();
  var s3 = array<vec4<f32>, 8>();
  for (var k = 0u; k < params.k4; k++) {
    let b = weights_at(weights, k);
    add_products8(&s0, x[x0 + k], b);
    add_products8(&s1, x[x1 + k], b);
    if (ROWS > 16u) {
      add_products8(&s2, x[x2 + k], b);
      add_products8(&s3, x[x3 + k], b);
    }
  }
  if (group >= groups) { return; }
  finish8(row, group, s0);
  finish8(row + 8u, group, s1);
  if (ROWS > 16u) {
    finish8(row + 16u, group, s2);
    finish8(row + 24u, group, s3);
  }
}

// A loop over the rows that there are: drivers don't unroll it, which would make this kernel slow to build.
fn finish8(first: u32, group: u32, sums: array<vec4<f32>, 8>) {
  let b = bias_of(group);
  let end = min(first + 8u, params.rows);
  for (var row = first; row < end; row++) {
    finish(row, group, sums[row - first] + b);
  }
}
