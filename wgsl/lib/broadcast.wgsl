// A product of matrices (lib/linear, lib/linear_input_gradient say which) for devices with subgroups: lanes span groups
// of 4 columns, and share ROWS rows of the input: each lane loads a part of them once, and hands it round to all
// (lib/products8). Needs a subgroup size of at least 8; lanes past the eighth load what the first eight do.
//
// All loads of a step come before its products: so CPU adapters keep less in registers meanwhile. Workgroups span rows
// first: consecutive ones read the same columns, which stay in a cache.
enable subgroups;

override WG: u32 = 64;
// 8, 16 or 32: what a load is worth against registers, and no more than there are.
override ROWS: u32 = 16;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Whole workgroups share a tile of rows, so that every lane of a subgroup takes part in every exchange.
  let tiles = (params.rows + ROWS - 1u) / ROWS;
  let index = workgroup_index(workgroup, grid);
  let first = (index / tiles) * WG;
  if (first >= groups()) { return; }
  let group = first + lane;
  let row = ROWS * (index % tiles);
  let own = row + (subgroup_lane & 7u);
  let r0 = input_row(own);
  let r1 = input_row(own + 8u);
  let r2 = input_row(own + 16u);
  let r3 = input_row(own + 24u);
  let columns = columns_of(group);
  var s0 = array<vec4<f32>, 8>();
  var s1 = array<vec4<f32>, 8>();
  var s2 = array<vec4<f32>, 8>();
  var s3 = array<vec4<f32>, 8>();
  for (var k = 0u; k < steps(); k++) {
    let b = columns_at(columns, k);
    let a0 = input_at(r0 + k);
    var a1 = a0;
    var a2 = a0;
    var a3 = a0;
    if (ROWS > 8u) { a1 = input_at(r1 + k); }
    if (ROWS > 16u) {
      a2 = input_at(r2 + k);
      a3 = input_at(r3 + k);
    }
    add_products8(&s0, a0, b);
    if (ROWS > 8u) { add_products8(&s1, a1, b); }
    if (ROWS > 16u) {
      add_products8(&s2, a2, b);
      add_products8(&s3, a3, b);
    }
  }
  if (group >= groups()) { return; }
  finish8(row, group, s0);
  if (ROWS > 8u) { finish8(row + 8u, group, s1); }
  if (ROWS > 16u) {
    finish8(row + 16u, group, s2);
    finish8(row + 24u, group, s3);
  }
}
