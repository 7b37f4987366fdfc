// One tile of d loss / d logits of the CRINGE penalty: d_v = c (1[v = target] - 1[v = word drawn]), c = g slope.
//
// Shapes: targets [rows] (i32), gradient [rows] (f32), each every fourth word; drawn [rows] vec4s of words
// (slope's bits, the word's index, 0, 0: cringe_sample); d [rows, words] f32, the words from `first` on. Layout: one lane per vec4 of d. Padding
// columns become zeros; a row whose c is not finite becomes that in all its words.
//#include grid
//#include finite
struct Params {
  rows: u32,
  words: u32,
  first: u32,
  stride4: u32,
}
@group(0) @binding(0) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> drawn: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.stride4) { return; }
  let row = index / params.stride4;
  let place = vec4<u32>(4u * (index % params.stride4)) + vec4<u32>(0u, 1u, 2u, 3u);
  let own = u32(targets[row].x) - params.first;
  let other = drawn[row].y - params.first;
  let c = gradient[row].x * bitcast<f32>(drawn[row].x);
  let up = select(vec4<f32>(0.0), vec4<f32>(c), place == vec4<u32>(own));
  let down = select(vec4<f32>(0.0), vec4<f32>(c), place == vec4<u32>(other));
  var value = up - down;
  if (not_finite(c)) { value = vec4<f32>(c); }
  d[index] = select(vec4<f32>(0.0), value, place < vec4<u32>(params.words));
}
