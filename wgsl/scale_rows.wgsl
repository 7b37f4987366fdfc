// Rows times a number each, in place: y[t, i] = factor[t] y[t, i].
//
// Shapes: factors [rows] (f32, every fourth word); y [rows, cols] f32. Layout: an invocation takes vec4s i, i + step, ...
// Padding columns stay zeros, whatever the factor.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.rows * params.stride4; i += params.step) {
    let col = vec4<u32>(4u * (i % params.stride4)) + vec4<u32>(0u, 1u, 2u, 3u);
    y[i] = select(vec4<f32>(0.0), factors[i / params.stride4].x * y[i], col < vec4<u32>(params.cols));
  }
}
