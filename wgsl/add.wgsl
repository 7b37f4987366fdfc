// Residual addition in place: y += x.
//
// Shapes: x, y `count` vec4s each, padding included (zeros stay zeros). Layout: an invocation takes vec4s i, i + step, ...
//#include grid
struct Params {
  count: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.count; i += params.step) {
    y[i] += x[i];
  }
}
