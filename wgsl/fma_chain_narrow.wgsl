// Chains of fused multiply-adds in registers, as in fma_chain.wgsl, for processors with few of them: 2 chains of vec4s, which
// are 8 registers where a driver keeps the parts of a vec4 apart, as those of CPUs do. 32 fma of each in a step.
// Shapes: y [count] vec4s.
//#include grid
//#include fma_chain

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.count) { return; }
  let a = vec4<f32>(params.a);
  let b = vec4<f32>(params.b);
  var s0 = vec4<f32>(f32(lane));
  var s1 = s0 + 1.0;
  for (var step = 0u; step < params.steps; step++) {
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
  }
  y[index] = s0 + s1;
}
