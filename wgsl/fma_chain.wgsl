// Chains of fused multiply-adds in registers: the ceiling in operations per second that other kernels are compared with
// (lib/fma_chain). Each invocation runs 8 independent chains of vec4s, 4 fma each in a step (a single one would measure the
// loop), and writes their sum, so that nothing can be left out. Shapes: y [count] vec4s.
// fma_chain_narrow.wgsl is the same for processors whose registers hold fewer chains.
//#include grid
//#include fma_chain

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.count) { return; }
  let a = vec4<f32>(params.a);
  let b = vec4<f32>(params.b);
  let start = vec4<f32>(f32(lane));
  var s0 = start + 0.0;
  var s1 = start + 1.0;
  var s2 = start + 2.0;
  var s3 = start + 3.0;
  var s4 = start + 4.0;
  var s5 = start + 5.0;
  var s6 = start + 6.0;
  var s7 = start + 7.0;
  for (var step = 0u; step < params.steps; step++) {
    s0 = four(s0, a, b);
    s1 = four(s1, a, b);
    s2 = four(s2, a, b);
    s3 = four(s3, a, b);
    s4 = four(s4, a, b);
    s5 = four(s5, a, b);
    s6 = four(s6, a, b);
    s7 = four(s7, a, b);
  }
  y[index] = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
}
