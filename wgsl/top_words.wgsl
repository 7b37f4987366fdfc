// The words of largest logits of each row, tile by tile. Sixteen lanes share a row, as in lib/vocabulary_sums, and each
// keeps a list of its own; cringe_sample merges them.
//
// Shapes: logits [rows, words] f32, the words from `first` on (a multiple of 64); lists [rows, 16, keep] pairs (logit,
// word's index), the largest logit first, of equal ones the smaller index; free places have the index 0xffffffff. `begin`:
// this is the first tile. Layout: sixteen lanes per row. A NaN is larger than nothing and is never listed.
//#include grid
struct Params {
  rows: u32,
  words: u32,
  first: u32,
  stride4: u32,
  keep: u32,
  begin: u32,
}
@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> lists: array<vec2<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

const WG = 64u;
const LANES = 16u;
const LOWEST = -0x1.fffffep+127f;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * (WG / LANES) + lane / LANES;
  if (row >= params.rows) { return; }
  let list = (row * LANES + lane % LANES) * params.keep;
  if (params.begin != 0u) {
    for (var i = 0u; i < params.keep; i++) { lists[list + i] = vec2<u32>(bitcast<u32>(LOWEST), 0xffffffffu); }
  }
  var least = bitcast<f32>(lists[list + params.keep - 1u].x);
  let end = (params.words + 3u) / 4u;
  for (var c = lane % LANES; c < end; c += LANES) {
    let v = logits[row * params.stride4 + c];
    for (var j = 0u; j < min(4u, params.words - 4u * c); j++) {
      let value = v[j];
      if (!(value > least)) { continue; }
      // Words come in order, so an equal one that is listed already stays before this one.
      var at = params.keep - 1u;
      while (at > 0u && bitcast<f32>(lists[list + at - 1u].x) < value) {
        lists[list + at] = lists[list + at - 1u];
        at--;
      }
      lists[list + at] = vec2<u32>(bitcast<u32>(value), params.first + 4u * c + j);
      least = bitcast<f32>(lists[list + params.keep - 1u].x);
    }
  }
}
