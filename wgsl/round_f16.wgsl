// A factor of the emulated tensor-core class: y = f16(scale x) / scale, to the nearest, ties to even, Inf past the largest
// f16. Shapes: x and y [count] vec4s f32, padding included; maxima [64] u32, as linear_subgroup_matrix reads them for a
// gradient's scale, a power of two; without `scaled` it is 1 and they are not read.
//#include grid
//#include gradient_scale
//#include half
struct Params {
  count: u32,
  scaled: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> extra: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = workgroup_index(workgroup, grid) * WG + lane;
  if (i >= params.count) { return; }
  let scale = gradient_scale();
  y[i] = near_half(x[i] * scale) / scale;
}
