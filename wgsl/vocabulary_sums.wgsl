// One tile of a vocabulary's logits added to the running log-sum-exp of each row (lib/vocabulary_sums).
//
// Shapes: logits [rows, words] f32, the words from `first` on (a multiple of 64); targets [rows] (i32, every fourth word);
// sums [rows, 16 vec4s]. `begin`: this is the first tile, and sums hold nothing yet. Layout: sixteen lanes per row.
// Accumulation: f32, each lane's vec4s in the order of the words. No sum depends on other rows.
// Source: Milakov & Gimelshein 2018, arXiv 1805.02867, algorithm 3 (online normaliser).
//#include grid
//#include finite
//#include vocabulary_sums
struct Params {
  rows: u32,
  words: u32,
  first: u32,
  stride4: u32,
  begin: u32,
}
@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

const WG = 64u;

fn sum4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  if (row >= params.rows) { return; }
  let at = row * LANES + lane % LANES;
  var state = vec4<f32>(LOWEST, 0.0, 0.0, 0.0);
  if (params.begin == 0u) { state = sums[at]; }
  // The target's place in this tile; far past its end where it lies in another one.
  let own = u32(targets[row].x) - params.first;
  let end = (params.words + 3u) / 4u;
  for (var c = lane % LANES; c < end; c += LANES) {
    let word = vec4<u32>(4u * c) + vec4<u32>(0u, 1u, 2u, 3u);
    let real = word < vec4<u32>(params.words);
    let v = select(vec4<f32>(0.0), logits[row * params.stride4 + c], real);
    let seen = select(vec4<f32>(LOWEST), v, real);
    let largest = max(state.x, max(max(seen.x, seen.y), max(seen.z, seen.w)));
    let weights = select(vec4<f32>(0.0), exp(v - largest), real);
    state = vec4<f32>(
      largest,
      fma(state.y, rescale(state.x, largest), sum4(weights)),
      state.z + sum4(select(vec4<f32>(0.0), v, word == vec4<u32>(own))),
      state.w + sum4(v),
    );
  }
  sums[at] = state;
}
