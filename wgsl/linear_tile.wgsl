// linear, the portable variant: each invocation computes 4 rows x 4 outputs in registers. See lib/linear.wgsl for the
// formula, the shapes and the order of accumulation. Layout: invocations span groups of 4 outputs, then rows.
//#include grid
//#header weight
//#include linear

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let groups = (params.outs + 3u) / 4u;
  let tiles = (params.rows + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups * tiles) { return; }
  let group = index % groups;
  let row = 4u * (index / groups);
  // Rows and outputs past the end repeat the last one; what they give is not stored.
  let last_row = params.rows - 1u;
  let last_out = params.outs - 1u;
  let x0 = min(row, last_row) * params.x_stride4;
  let x1 = min(row + 1u, last_row) * params.x_stride4;
  let x2 = min(row + 2u, last_row) * params.x_stride4;
  let x3 = min(row + 3u, last_row) * params.x_stride4;
  let w0 = min(4u * group, last_out) * params.w_stride4;
  let w1 = min(4u * group + 1u, last_out) * params.w_stride4;
  let w2 = min(4u * group + 2u, last_out) * params.w_stride4;
  let w3 = min(4u * group + 3u, last_out) * params.w_stride4;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  for (var k = 0u; k < params.k4; k++) {
    let b = transpose(mat4x4<f32>(widen(w[w0 + k]), widen(w[w1 + k]), widen(w[w2 + k]), widen(w[w3 + k])));
    let a0 = x[x0 + k];
    let a1 = x[x1 + k];
    let a2 = x[x2 + k];
    let a3 = x[x3 + k];
    s0 = fma(vec4<f32>(a0.x), b[0], s0);
    s0 = fma(vec4<f32>(a0.y), b[1], s0);
    s0 = fma(vec4<f32>(a0.z), b[2], s0);
    s0 = fma(vec4<f32>(a0.w), b[3], s0);
    s1 = fma(vec4<f32>(a1.x), b[0], s1);
    s1 = fma(vec4<f32>(a1.y), b[1], s1);
    s1 = fma(vec4<f32>(a1.z), b[2], s1);
    s1 = fma(vec4<f32>(a1.w), b[3], s1);
    s2 = fma(vec4<f32>(a2.x), b[0], s2);
    s2 = fma(vec4<f32>(a2.y), b[1], s2);
    s2 = fma(vec4<f32>(a2.z), b[2], s2);
    s2 = fma(vec4<f32>(a2.w), b[3], s2);
    s3 = fma(vec4<f32>(a3.x), b[0], s3);
    s3 = fma(vec4<f32>(a3.y), b[1], s3);
    s3 = fma(vec4<f32>(a3.z), b[2], s3);
    s3 = fma(vec4<f32>(a3.w), b[3], s3);
  }
  let b = bias_of(group);
  finish(row, group, s0 + b);
  if (row + 1u < params.rows) { finish(row + 1u, group, s1 + b); }
  if (row + 2u < params.rows) { finish(row + 2u, group, s2 + b); }
  if (row + 3u < params.rows) { finish(row + 3u, group, s3 + b); }
}
