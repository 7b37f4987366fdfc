// In place, one tile of a vocabulary's logits becomes the words' unnormalised shares: exp(logit - peak), at most 1.
//
// Shapes: logits [rows, words] f32; peaks [rows] (f32, every fourth word): the largest logit of the row so far. Layout: an
// invocation takes vec4s i, i + step, ... Padding columns become zeros.
//#include grid
struct Params {
  rows: u32,
  words: u32,
  stride4: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> peaks: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> logits: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.rows * params.stride4; i += params.step) {
    let row = i / params.stride4;
    let word = vec4<u32>(4u * (i % params.stride4)) + vec4<u32>(0u, 1u, 2u, 3u);
    logits[i] = select(vec4<f32>(0.0), exp(logits[i] - peaks[row].x), word < vec4<u32>(params.words));
  }
}
