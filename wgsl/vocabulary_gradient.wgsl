// In place, one tile of a vocabulary's logits becomes d loss / d logits, given d loss / d log p(target) of each row:
//
// d_v = g (1[v = target] - exp(logit_v - lse))
//
// Shapes: logits [rows, words] f32, the words from `first` on; targets [rows] (i32), lse, gradient [rows] (f32), each
// every fourth word. Layout: an invocation takes vec4s of logits i, i + step, ... Padding columns become zeros; a row whose
// lse or g is not finite becomes that in all its words.
//#include grid
//#include finite
struct Params {
  rows: u32,
  words: u32,
  first: u32,
  stride4: u32,
  step: u32,
}
@group(0) @binding(0) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> lse: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> logits: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.step) { return; }
  for (var i = index; i < params.rows * params.stride4; i += params.step) {
    let row = i / params.stride4;
    let word = vec4<u32>(4u * (i % params.stride4)) + vec4<u32>(0u, 1u, 2u, 3u);
    let own = u32(targets[row].x) - params.first;
    let g = gradient[row].x;
    let p = exp(logits[i] - lse[row].x);
    var d = g * (select(vec4<f32>(0.0), vec4<f32>(1.0), word == vec4<u32>(own)) - p);
    let extent = lse[row].x + g;
    if (not_finite(extent)) { d = vec4<f32>(extent); }
    logits[i] = select(vec4<f32>(0.0), d, word < vec4<u32>(params.words));
  }
}
