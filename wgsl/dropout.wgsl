// Dropout without state: y = x * mask, or y += x * mask, mask = 0 with probability p, else 1 / (1 - p). The mask is a
// function of a key and of where an element stands, so the gradient is the same kernel on dy with the same arguments:
//   words = philox(counter (row's key 0, 1, 2; vec4 of columns), key);  column 4 c + j is dropped if words[j] < threshold
//
// Shapes: x, y [rows, stride4 vec4s]; keys [rows] vec4s, the fourth word unused. Layout: one invocation per vec4. It is a
// product also where it is 0, so that NaN and Inf come through; padding stays zeros.
// Source: Srivastava et al. 2014, JMLR 15, section 4, scaled while training; lib/philox.
//#include grid
//#include philox
struct Params {
  rows: u32,
  stride4: u32,
  key0: u32,
  key1: u32,
  // p * 2^32.
  threshold: u32,
  scale: f32,
  rounds: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.stride4) { return; }
  let counter = vec4<u32>(keys[index / params.stride4].xyz, index % params.stride4);
  let words = philox(counter, vec2<u32>(params.key0, params.key1), params.rounds);
  let value = x[index] * select(vec4<f32>(params.scale), vec4<f32>(0.0), words < vec4<u32>(params.threshold));
  if (params.accumulate != 0u) {
    y[index] = y[index] + value;
  } else {
    y[index] = value;
  }
}
