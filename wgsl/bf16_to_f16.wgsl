// A bf16 weight as f16, a factor of the emulated tensor-core class: to the nearest, ties to even, Inf past the largest f16.
// Shapes: w and y [count] groups of four, two to a u32, padding included.
//#include grid
//#include half
struct Params {
  count: u32,
}
@group(0) @binding(0) var<storage, read> w: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec2<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = workgroup_index(workgroup, grid) * WG + lane;
  if (i >= params.count) { return; }
  // A bf16 is the upper half of the f32 of the same value.
  y[i] = pack_halves(bitcast<vec4<f32>>(vec4<u32>(w[i].x << 16u, w[i].x & 0xffff0000u, w[i].y << 16u, w[i].y & 0xffff0000u)));
}
