// The CRINGE penalty's gradient of hidden states: d_e = (d_old) + c_e (w_target - w_drawn), c = g slope. Of all logits the
// penalty has two, so two rows of the vocabulary's weight are all it reads.
//
// Shapes: targets [rows] (i32), gradient [rows] (f32), each every fourth word; drawn [rows] vec4s of words (slope's bits,
// the word's index, 0, 0: cringe_sample); w [V, H] as stored, bound as a window of `count` rows from row `first` on; d
// [rows, H] f32. Layout: one invocation per vec4 of d. Rows outside of the window add nothing. Padding columns stay zeros.
//#include grid
//#header weight
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  w_stride4: u32,
  first: u32,
  count: u32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> drawn: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> w: array<W4>;
@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.rows * params.stride4) { return; }
  let row = index / params.stride4;
  let col = index % params.stride4;
  let own = u32(targets[row].x) - params.first;
  let other = drawn[row].y - params.first;
  let c = gradient[row].x * bitcast<f32>(drawn[row].x);
  var value = vec4<f32>(0.0);
  if (params.accumulate != 0u) { value = d[index]; }
  if (own < params.count) { value = fma(vec4<f32>(c), widen(w[own * params.w_stride4 + col]), value); }
  if (other < params.count) { value = fma(vec4<f32>(-c), widen(w[other * params.w_stride4 + col]), value); }
  d[index] = select(vec4<f32>(0.0), value, 4u * col + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols));
}
