// linear, the portable variant: each invocation computes 4 rows x 4 outputs in registers. See lib/linear.wgsl for the
// formula, the shapes and the order of accumulation. Layout: invocations span groups of 4 outputs, then rows.
//#include grid
//#header weight
//#include linear
//#include products

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let groups = (params.outs + 3u) / 4u;
  let tiles = (params.rows + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups * tiles) { return; }
  let group = index % groups;
  let row = 4u * (index / groups);
  let x0 = input_row(row);
  let x1 = input_row(row + 1u);
  let x2 = input_row(row + 2u);
  let x3 = input_row(row + 3u);
  let weights = weight_rows(group);
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = weights_at(weights, k);
    let a0 = x[x0 + k];
    let a1 = x[x1 + k];
    let a2 = x[x2 + k];
    let a3 = x[x3 + k];
    s0 = add_products(s0, a0, b);
    s1 = add_products(s1, a1, b);
    s2 = add_products(s2, a2, b);
    s3 = add_products(s3, a3, b);
  }
  let b = bias_of(group);
  finish(row, group, s0 + b);
  if (row + 1u < params.rows) { finish(row + 1u, group, s1 + b); }
  if (row + 2u < params.rows) { finish(row + 2u, group, s2 + b); }
  if (row + 3u < params.rows) { finish(row + 3u, group, s3 + b); }
}
