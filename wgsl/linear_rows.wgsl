// linear for few rows: each invocation computes 1 row x 4 outputs, so that a short batch still fills the device. See
// lib/linear.wgsl for the formula, the shapes and the order of accumulation.
//#include grid
//#header weight
//#include linear
//#include products

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups() * params.rows) { return; }
  let group = index % groups();
  let row = index / groups();
  let columns = columns_of(group);
  let begin = input_row(row);
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < steps(); k++) {
    let b = columns_at(columns, k);
    sum = add_products(sum, input_at(begin + k), b);
  }
  finish(row, group, sum);
}
