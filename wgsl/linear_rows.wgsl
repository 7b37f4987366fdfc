// linear for few rows: each invocation computes 1 row x 4 outputs, so that a short batch still fills the device. See
// lib/linear.wgsl for the formula, the shapes and the order of accumulation.
//#include grid
//#header weight
//#include linear

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let groups = (params.outs + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups * params.rows) { return; }
  let group = index % groups;
  let row = index / groups;
  // Outputs past the end repeat the last one; what they give is not stored.
  let last_out = params.outs - 1u;
  let w0 = min(4u * group, last_out) * params.w_stride4;
  let w1 = min(4u * group + 1u, last_out) * params.w_stride4;
  let w2 = min(4u * group + 2u, last_out) * params.w_stride4;
  let w3 = min(4u * group + 3u, last_out) * params.w_stride4;
  let begin = row * params.x_stride4;
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = transpose(mat4x4<f32>(widen(w[w0 + k]), widen(w[w1 + k]), widen(w[w2 + k]), widen(w[w3 + k])));
    let a = x[begin + k];
    sum = fma(vec4<f32>(a.x), b[0], sum);
    sum = fma(vec4<f32>(a.y), b[1], sum);
    sum = fma(vec4<f32>(a.z), b[2], sum);
    sum = fma(vec4<f32>(a.w), b[3], sum);
  }
  finish(row, group, sum + bias_of(group));
}
