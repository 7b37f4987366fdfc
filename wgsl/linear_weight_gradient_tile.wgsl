// The weight's gradient of a linear layer, the portable variant: formula, shapes, order of accumulation in
// lib/linear_weight_gradient. Layout: each invocation computes 4 outputs x one vec4 of columns.
//#include grid
//#include linear_weight_gradient

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let groups = (params.outs + 3u) / 4u;
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= groups * params.stride4) { return; }
  let c = index % params.stride4;
  let group = index / params.stride4;
  var t0 = vec4<f32>(0.0);
  var t1 = vec4<f32>(0.0);
  var t2 = vec4<f32>(0.0);
  var t3 = vec4<f32>(0.0);
  for (var begin = 0u; begin < params.rows; begin += params.chunk) {
    let end = min(begin + params.chunk, params.rows);
    var s0 = vec4<f32>(0.0);
    var s1 = vec4<f32>(0.0);
    var s2 = vec4<f32>(0.0);
    var s3 = vec4<f32>(0.0);
    for (var r = begin; r < end; r++) {
      let g = dy[r * params.dy_stride4 + params.first4 + group];
      let v = x[r * params.stride4 + c];
      s0 = fma(vec4<f32>(g.x), v, s0);
      s1 = fma(vec4<f32>(g.y), v, s1);
      s2 = fma(vec4<f32>(g.z), v, s2);
      s3 = fma(vec4<f32>(g.w), v, s3);
    }
    t0 += s0;
    t1 += s1;
    t2 += s2;
    t3 += s3;
  }
  let out = 4u * group;
  finish(out, c, t0);
  if (out + 1u < params.outs) { finish(out + 1u, c, t1); }
  if (out + 2u < params.outs) { finish(out + 2u, c, t2); }
  if (out + 3u < params.outs) { finish(out + 3u, c, t3); }
}
