// The portable variant of a product of matrices (lib/linear, lib/linear_input_gradient say which): each invocation
// computes 4 rows x 4 columns in registers. Layout: invocations span groups of 4 columns, then rows.
override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.rows + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups() * tiles) { return; }
  let group = index % groups();
  let row = 4u * (index / groups());
  let r0 = input_row(row);
  let r1 = input_row(row + 1u);
  let r2 = input_row(row + 2u);
  let r3 = input_row(row + 3u);
  let columns = columns_of(group);
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  for (var k = 0u; k < steps(); k++) {
    let b = columns_at(columns, k);
    let a0 = input_at(r0 + k);
    let a1 = input_at(r1 + k);
    let a2 = input_at(r2 + k);
    let a3 = input_at(r3 + k);
    s0 = add_products(s0, a0, b);
    s1 = add_products(s1, a1, b);
    s2 = add_products(s2, a2, b);
    s3 = add_products(s3, a3, b);
  }
  finish(row, group, s0);
  if (row + 1u < params.rows) { finish(row + 1u, group, s1); }
  if (row + 2u < params.rows) { finish(row + 2u, group, s2); }
  if (row + 3u < params.rows) { finish(row + 3u, group, s3); }
}
