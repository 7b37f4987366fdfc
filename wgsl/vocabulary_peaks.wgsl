// What the shares of a vocabulary's words are relative to, row by row, and the factor that carries sums of earlier shares
// over to it:
//
// after a tile: factor = exp(peak - m), peak = m, the largest logit so far; at the end (`end`): factor = -exp(peak - lse)
//
// so that a sum of exp(logit - peak) w over all words becomes minus the mean of w under the softmax.
// Shapes: sums [rows, 16 vec4s] (lib/vocabulary_sums); lse, peaks, factors [rows] (f32, every fourth word). Layout: one
// lane per row. Before the first tile peaks hold nothing, and nobody reads the first factor. A row whose lse is not finite
// gets that as its factor.
//#include grid
//#include finite
//#include vocabulary_sums
struct Params {
  rows: u32,
  // 16
  lanes: u32,
  end: u32,
}
@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> lse: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> peaks: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> factors: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override WG: u32 = 64;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup_index(workgroup, grid) * WG + lane;
  if (row >= params.rows) { return; }
  let before = peaks[row].x;
  if (params.end != 0u) {
    let total = lse[row].x;
    var factor = -exp(before - total);
    if (not_finite(total)) { factor = total; }
    factors[row] = vec4<f32>(factor, 0.0, 0.0, 0.0);
    return;
  }
  let begin = row * LANES;
  // A bound that the driver cannot see through, so that it does not unroll the loop.
  let end = begin + params.lanes;
  var largest = LOWEST;
  for (var i = begin; i < end; i++) { largest = max(largest, sums[i].x); }
  factors[row] = vec4<f32>(rescale(before, largest), 0.0, 0.0, 0.0);
  peaks[row] = vec4<f32>(largest, 0.0, 0.0, 0.0);
}
